/* The help of the verbs whose words are the engine's: commander does not write theirs. */

export const runHelp: string = `Usage: tcf run [options] [runtime flags] IMAGE [COMMAND...]
       tcf run [options] [runtime flags] PROFILE [profile options] (tcf run triton --help)

Verifies an image, then starts exactly that digest. Takes the flags of podman run and docker run. Its own:
  --policy FILE        a policy that has to allow the image
  --trusted-root FILE  trusted_root.json in place of the public Sigstore instance
  --update-trust       ask the TUF mirrors for newer trusted roots first
  --platform OS/ARCH   which image of an index
  --engine NAME        podman or docker (default: podman where it is installed)
  --dry-run            verify, then print the commands instead of running them
  --no-cache           ask the registry for signatures, even if it was asked today
  --allow-http         speak plain HTTP to a registry on loopback
  --timeout SECONDS    how long a registry may stay silent
  --quiet              print nothing on standard error but errors; the exit code says the rest
Returns the container's exit code; 125 if nothing was started.
`;

/** `tcf run PROFILE --help`. */
export const profileHelp: string = `Usage: tcf run [options] [runtime flags] PROFILE [profile options] [--] [COMMAND...]

Starts a Triton dev container. PROFILE is dev, triton, torch, helion, vllm, or one of ~/.config/tcf/profiles.yaml. Its options are those of
triton-dev-containers.sh:
  -d, --device NAME        base, cpu, cuda or rocm (default: base)
      --gpu LIST           GPUs by index, UUID or MIG name, such as 0,2 (default: all)
  -k, --stack NAME         helion, torch, triton or vllm: what is built or installed at the start
  -s, --source NAME=PATH   mounts a checkout: GITCONFIG, HELION, LLVM, TORCH, TRITON, USER, VLLM
  -o, --option NAME=VALUE  a variable for the scripts in the image, such as INSTALL_TORCH=nightly
  -i, --image IMAGE        another image
  -t, --tag TAG            another tag of the image for the device
  -j, --jobs N             MAX_JOBS (default: the cores, or one for each 4 GiB of memory)
  -p, --port AUTO|PORT     a notebook server, on loopback unless it is ADDRESS:PORT
  -u, --user NAME          the user inside; one that this machine does not have gets your ids
  -c, --connection NAME    a remote podman connection or docker context
  -r, --rm                 removes the container when it ends
  -v, --verbose            prints the commands
Caches of Triton's build lie in ~/.cache/tcf/dev, one for each set of pins of the checkout.
`;

export const upHelp: string = `Usage: tcf up [options] [runtime flags] PROFILE [profile options]

Verifies the image of a profile and starts a dev container of its name that goes on until "tcf down". A container that is there already is
verified and started again. The options are those of "tcf run PROFILE" (tcf run triton --help), and:
  --name NAME          another name than that of the profile
  --recreate           removes the container that is there, and makes it with the options of now
  --time SECONDS       how long a command that is recreated has to end by itself (default: 10, or its own)
It is up when its health check passes or, where it has none, when the set-up of the image has come to its command.
Then: tcf exec NAME [COMMAND...], or attach an editor to the container tcf-NAME.
`;

export const execHelp: string = `Usage: tcf exec [options] NAME [COMMAND...]

Runs a command (default: bash) in a dev container that "tcf up" has started, after verifying its image once more: a policy may have
changed since. As the user that the container was made for, unless --user says otherwise.
`;
