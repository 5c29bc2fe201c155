// Lets policy-controller and Kyverno believe another Sigstore than the public one, as their own options for a TUF mirror do: what they use lies
// in TUF_ROOT afterwards.
// usage: TUF_ROOT=FOLDER tuf-initialize MIRROR ROOT_JSON
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/sigstore/sigstore/pkg/tuf"
)

func main() {
	root, err := os.ReadFile(os.Args[2])
	if err == nil {
		err = tuf.Initialize(context.Background(), os.Args[1], root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
