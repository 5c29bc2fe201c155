// Prints what osv-scalibr, the reader of osv-scanner, reads from the CycloneDX document that is named: one JSON object for each package, a line each.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/sbom/cdx"
	"github.com/google/osv-scalibr/extractor/filesystem/sbom/cdx/metadata"
)

type line struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Source  string `json:"source,omitempty"`
	Purl    string `json:"purl,omitempty"`
}

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	reader, err := cdx.New(&cpb.PluginConfig{})
	if err != nil {
		panic(err)
	}
	found, err := reader.Extract(context.Background(), &filesystem.ScanInput{Path: "x.cdx.json", Reader: file})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, each := range found.Packages {
		out := line{Kind: each.Ecosystem().String(), Name: each.Name, Version: each.Version}
		if data, ok := each.Metadata.(*metadata.Metadata); ok && data.PURL != nil {
			out.Purl = data.PURL.String()
		}
		text, _ := json.Marshal(out)
		fmt.Println(string(text))
	}
}
