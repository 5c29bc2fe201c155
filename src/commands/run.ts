import { composeForHost, loadProfiles, readDevLine } from '../app/launch/dev.ts';
import { type StartRequest, startVerified } from '../app/launch/start-verified.ts';
import { parseRunArguments } from '../launch/arguments.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Options } from './options/bag.ts';
import {
  declareWords,
  engineName,
  ownOptions,
  readStartRequest,
  runFlags,
  transport,
} from './options/start.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare: declareWords,
  flags: runFlags,
  async run(host, args): Promise<ExitCode> {
    const line = parseRunArguments(
      args.filter((word) => word !== undefined),
      runFlags,
    );
    if (line.own['help'] !== undefined) {
      await host.stdout.write(help);
      return 0;
    }
    const profile = (await loadProfiles(host)).get(line.image ?? '');
    if (profile === undefined) {
      const plain = { image: line.image ?? '', engineFlags: line.engineFlags, command: line.command };
      return await verifyAndRun(host, ownOptions(line.own, runFlags), () => Promise.resolve(plain));
    }
    const dev = readDevLine(line, profile, runFlags);
    if (dev.help) {
      await host.stdout.write(devHelp);
      return 0;
    }
    const options = ownOptions(dev.own, runFlags);
    return await verifyAndRun(
      host,
      options,
      (engine) => composeForHost(host, engine, dev.options),
      dev.options.verbose,
    );
  },
};

function verifyAndRun(
  host: Host,
  options: Options,
  compose: StartRequest['compose'],
  isVerbose = false,
): Promise<ExitCode> {
  return startVerified(host, {
    question: (image) => readStartRequest(options, image, 'run'),
    engine: engineName(options),
    compose,
    transport: transport(options),
    isDry: options['dryRun'] === true,
    isVerbose,
  });
}

const help = `Usage: tcf run [options] [runtime flags] IMAGE [COMMAND...]
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
Returns the container's exit code; 125 if nothing was started.
`;

const devHelp = `Usage: tcf run [options] [runtime flags] PROFILE [profile options] [--] [COMMAND...]

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
