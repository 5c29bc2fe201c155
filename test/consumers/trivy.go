// Prints what trivy reads from the CycloneDX document that is named: one JSON object for each package, a line each.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	ftypes "github.com/aquasecurity/trivy/pkg/fanal/types"
	"github.com/aquasecurity/trivy/pkg/sbom"
)

type line struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Source  string `json:"source,omitempty"`
	Purl    string `json:"purl,omitempty"`
}

func version(epoch int, version, release string) string {
	text := version
	if release != "" {
		text += "-" + release
	}
	if epoch != 0 {
		text = fmt.Sprintf("%d:%s", epoch, text)
	}
	return text
}

func print(kind string, pkg ftypes.Package) {
	out := line{Kind: kind, Name: pkg.Name, Version: version(pkg.Epoch, pkg.Version, pkg.Release)}
	if pkg.SrcName != "" {
		out.Source = pkg.SrcName + " " + version(pkg.SrcEpoch, pkg.SrcVersion, pkg.SrcRelease)
	}
	if pkg.Identifier.PURL != nil {
		out.Purl = pkg.Identifier.PURL.String()
	}
	text, _ := json.Marshal(out)
	fmt.Println(string(text))
}

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	read, err := sbom.Decode(context.Background(), file, sbom.FormatCycloneDXJSON)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if read.Metadata.OS != nil {
		text, _ := json.Marshal(line{Kind: "operating-system", Name: string(read.Metadata.OS.Family), Version: read.Metadata.OS.Name})
		fmt.Println(string(text))
	}
	for _, info := range read.Packages {
		for _, pkg := range info.Packages {
			print("os", pkg)
		}
	}
	for _, app := range read.Applications {
		for _, pkg := range app.Packages {
			print(string(app.Type), pkg)
		}
	}
}
