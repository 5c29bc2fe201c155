// Asks of an image on loopback what CRI-O asks by a policy.json, in its order: when it pulls the image (server/image_pull.go), and again from its
// own copy before a container is made of it, where signature_policy or a file of signature_policy_dir is in force (internal/storage/image.go).
// usage: crio-check POLICY_JSON REGISTRIES_D IMAGE FOLDER
package main

import (
	"context"
	"fmt"
	"os"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/directory"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/image"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

func main() {
	if err := check(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(policyFile, registriesFolder, name, folder string) error {
	ctx := context.Background()
	policy, err := signature.NewPolicyFromFile(policyFile)
	if err != nil {
		return err
	}
	rules, err := signature.NewPolicyContext(policy)
	if err != nil {
		return err
	}
	defer rules.Destroy()
	named, err := docker.ParseReference("//" + name)
	if err != nil {
		return err
	}
	kept, err := directory.NewReference(folder)
	if err != nil {
		return err
	}
	host := types.SystemContext{
		ArchitectureChoice:          "amd64",
		DockerInsecureSkipTLSVerify: types.OptionalBoolTrue,
		OSChoice:                    "linux",
		RegistriesDirPath:           registriesFolder,
	}
	if _, err := copy.Image(ctx, rules, kept, named, &copy.Options{SourceCtx: &host}); err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	source, err := kept.NewImageSource(ctx, &host)
	if err != nil {
		return err
	}
	defer source.Close()
	own := image.UnparsedInstanceWithReference(image.UnparsedInstance(source, nil), named)
	if allowed, err := rules.IsRunningImageAllowed(ctx, own); err != nil || !allowed {
		return fmt.Errorf("container: %w", err)
	}
	return nil
}
