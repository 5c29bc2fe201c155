// Prints what cyclonedx-go reads from the CycloneDX document that is named: one JSON object for each component, a line each.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

type line struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Purl    string `json:"purl,omitempty"`
}

func walk(components *[]cdx.Component) {
	if components == nil {
		return
	}
	for _, each := range *components {
		text, _ := json.Marshal(line{Kind: string(each.Type), Name: each.Name, Version: each.Version, Purl: each.PackageURL})
		fmt.Println(string(text))
		walk(each.Components)
	}
}

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(file, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	walk(bom.Components)
}
