// Copies an image out of a registry on loopback by the rules of a policy.json, with the library of podman, buildah, skopeo and CRI-O.
// usage: containers-copy POLICY_JSON REGISTRIES_D IMAGE FOLDER
package main

import (
	"context"
	"fmt"
	"os"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/directory"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

func main() {
	if err := copyBy(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func copyBy(policyFile, registriesFolder, image, folder string) error {
	policy, err := signature.NewPolicyFromFile(policyFile)
	if err != nil {
		return err
	}
	rules, err := signature.NewPolicyContext(policy)
	if err != nil {
		return err
	}
	source, err := docker.ParseReference("//" + image)
	if err != nil {
		return err
	}
	target, err := directory.NewReference(folder)
	if err != nil {
		return err
	}
	host := types.SystemContext{
		ArchitectureChoice:          "amd64",
		DockerInsecureSkipTLSVerify: types.OptionalBoolTrue,
		OSChoice:                    "linux",
		RegistriesDirPath:           registriesFolder,
	}
	_, err = copy.Image(context.Background(), rules, target, source, &copy.Options{RemoveSignatures: true, SourceCtx: &host})
	return err
}
