// Prints what grype, and syft inside it, reads from the CycloneDX document that is named: one JSON object for each package, a line each.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/anchore/grype/grype/pkg"
)

type line struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Source  string `json:"source,omitempty"`
	Purl    string `json:"purl,omitempty"`
}

func main() {
	packages, context, _, err := pkg.Provide("sbom:"+os.Args[1], pkg.ProviderConfig{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if context.Distro != nil {
		text, _ := json.Marshal(line{Kind: "operating-system", Name: context.Distro.Name(), Version: context.Distro.Version})
		fmt.Println(string(text))
	}
	for _, each := range packages {
		out := line{Kind: string(each.Type), Name: each.Name, Version: each.Version, Purl: each.PURL}
		for _, upstream := range each.Upstreams {
			out.Source = upstream.Name + " " + upstream.Version
		}
		text, _ := json.Marshal(out)
		fmt.Println(string(text))
	}
}
