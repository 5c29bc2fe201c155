import type { Command } from 'commander';
import type { SbomRequest } from '../../app/make-sbom.ts';
import type { ImageRequest } from '../../app/open-image.ts';
import { compact } from '../../base/compact.ts';
import type { SbomFormat } from '../../bom/formats/format.ts';
import { declareAttestedOptions, wantsAttested } from './attested.ts';
import type { Options } from './bag.ts';
import { declareNetworkOptions } from './network.ts';
import { declarePlatform } from './platform.ts';
import { declareSbomOptions, readSbomRequest } from './sbom.ts';
import {
  declareDocumentOptions,
  declareRunOptions,
  readDocumentOptions,
  refuseDocumentOptions,
} from './sbom-document.ts';
import { declareSharedCache, readSharedCache, readsSharedCache } from './shared-cache.ts';
import { declareSigningOptions } from './signing.ts';

/** What `tcf sbom` takes. */
export function declareSbomVerb(command: Command): void {
  command.argument(
    '<image...>',
    'docker://REF, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, dir:PATH, containers-storage:REF, docker-daemon:REF or REF; of several images, a file each in the folder of -o',
  );
  declareDocumentOptions(command);
  declareSbomOptions(command, 'exit code 1 where something is missing');
  declarePlatform(command);
  declareRunOptions(command);
  declareSharedCache(command);
  declareSigningOptions(command, { hasRoot: true });
  declareAttestedOptions(command, '--attested or --cache-from');
  declareNetworkOptions(command);
}

/** The SBOM that was attested, or a new one. */
export type SbomQuestion =
  | { readonly about: 'attested' }
  | {
      readonly about: 'image';
      readonly request: SbomRequest;
      readonly format: SbomFormat;
      /** How the image is opened. */
      readonly look: Pick<ImageRequest, 'partial' | 'verifyLayers'>;
    };

/** @throws TcfError `sbom.*`, `option.value`, `cache.*` (exit 3). */
export function readSbomQuestion(options: Options): SbomQuestion {
  if (wantsAttested(options, readsSharedCache(options))) {
    refuseDocumentOptions(options);
    return { about: 'attested' };
  }
  const { form, format, partial, verifyLayers } = readDocumentOptions(options);
  return {
    about: 'image',
    format,
    request: compact({ ...readSbomRequest(options), ...form, shared: readSharedCache(options) }),
    look: { partial, verifyLayers },
  };
}
