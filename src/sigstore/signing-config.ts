import { compact } from '../base/compact.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { byCodeUnit, quoted } from '../base/text.ts';

/** Which services to sign with. */
export interface SigningServices {
  /** Absent: no certificates are to be had, only keys can sign. */
  readonly fulcio?: URL;
  /** Who knows the people that sign; absent: nobody can log in. */
  readonly issuer?: URL;
  readonly logs: readonly LogService[];
  /** Whole addresses of endpoints. */
  readonly timestamps: readonly URL[];
}

export interface LogService {
  readonly url: URL;
  readonly version: 1 | 2;
}

/** A Sigstore signing config before a choice is made. */
export interface SigningConfig {
  readonly authorities: readonly Service[];
  readonly issuers: readonly Service[];
  readonly logs: readonly Service[];
  readonly logSelector: Selector;
  readonly timestamps: readonly Service[];
  readonly timestampSelector: Selector;
}

interface Service {
  readonly url: URL;
  readonly version: number;
  readonly start: Date;
  readonly end: Date | undefined;
  readonly operator: string;
}

type Selector = { readonly kind: 'ALL' | 'ANY' } | { readonly kind: 'EXACT'; readonly count: number };

const mediaType = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';
/** The public instance names one to three of each. */
const maxServices = 64;

/**
 * Reads `signing_config.v0.2.json` (protobuf-specs `SigningConfig`). Unknown fields are ignored, as in
 * trusted roots.
 *
 * @throws TcfError `json.malformed`, `document.malformed` (exit 2).
 */
export function parseSigningConfig(bytes: Uint8Array, what = 'the signing config'): SigningConfig {
  const shape = new Shape(parseJson(bytes, what, jsonLimits.small), 'signingConfig');
  const type = shape.get('mediaType').string(200);
  if (type !== mediaType) {
    throw shape.get('mediaType').wrong(`is ${quoted(type)}, not ${mediaType}`);
  }
  const services = (key: string) => shape.optional(key)?.list(maxServices).map(readService) ?? [];
  return {
    authorities: services('caUrls'),
    issuers: services('oidcUrls'),
    logs: services('rekorTlogUrls'),
    logSelector: readSelector(shape.optional('rekorTlogConfig')),
    timestamps: services('tsaUrls'),
    timestampSelector: readSelector(shape.optional('tsaConfig')),
  };
}

function readService(shape: Shape): Service {
  const url = shape.get('url').string(2000);
  if (!isServiceUrl(url)) {
    throw shape.get('url').wrong('is not an http or https address');
  }
  const window = shape.get('validFor');
  const end = window.optional('end');
  return {
    url: new URL(url),
    version: shape.get('majorApiVersion').whole(),
    start: timeAt(window.get('start')),
    end: end === undefined || end.value === null ? undefined : timeAt(end),
    operator: shape.optional('operator')?.string(1000) ?? '',
  };
}

function timeAt(shape: Shape): Date {
  const time = new Date(shape.string(40));
  if (Number.isNaN(time.getTime())) {
    throw shape.wrong('is not a time');
  }
  return time;
}

function readSelector(shape: Shape | undefined): Selector {
  const kind = shape?.get('selector').string(100);
  switch (kind) {
    case undefined:
    case 'ANY':
    case 'ALL':
      return { kind: kind ?? 'ANY' };
    case 'EXACT':
      return { kind, count: shape?.get('count').whole() ?? 1 };
    default:
      throw cannotTell('document.malformed', `the signing config has an unknown selector ${quoted(kind)}`);
  }
}

/**
 * Chooses as sigstore-go `SelectServices` does: the newest service of each operator that is valid now, all of
 * the highest API version that tcf speaks. Where any one will do, it is the newest, so that signing twice
 * asks the same services.
 *
 * @throws TcfError `signing-config.unusable` (exit 2).
 */
export function chooseServices(config: SigningConfig, now: Date): SigningServices {
  const [authority] = select(config.authorities, { kind: 'ANY' }, [1], now, 'certificate authority');
  const [issuer] = select(config.issuers, { kind: 'ANY' }, [1], now, 'identity provider');
  const logs = select(config.logs, config.logSelector, [2, 1], now, 'transparency log');
  const timestamps = select(config.timestamps, config.timestampSelector, [1], now, 'timestamp authority');
  return {
    ...(authority === undefined ? {} : { fulcio: authority.url }),
    ...(issuer === undefined ? {} : { issuer: issuer.url }),
    logs: logs.map(({ url, version }) => ({ url, version: version === 2 ? 2 : 1 })),
    timestamps: timestamps.map(({ url }) => url),
  };
}

/** Nothing where nothing is listed: an instance without logs is one of key signatures. */
function select(
  services: readonly Service[],
  selector: Selector,
  versions: readonly number[],
  now: Date,
  what: string,
): readonly Service[] {
  if (services.length === 0) {
    return [];
  }
  const valid = services
    .filter(({ start, end }) => start <= now && (end === undefined || now <= end))
    .sort((a, b) => Number(b.start) - Number(a.start) || byCodeUnit(a.url.href, b.url.href));
  const version = versions.find((wanted) => valid.some((service) => service.version === wanted));
  if (version === undefined) {
    throw unusable(`lists no ${what} that is valid now and has a version that tcf knows`);
  }
  const ofVersion = valid.filter((service) => service.version === version);
  const chosen = [...new Map(ofVersion.toReversed().map((service) => [service.operator, service])).values()];
  chosen.sort((a, b) => Number(b.start) - Number(a.start) || byCodeUnit(a.url.href, b.url.href));
  if (selector.kind === 'ALL') {
    return chosen;
  }
  const count = selector.kind === 'EXACT' ? selector.count : 1;
  if (count === 0 || count > chosen.length) {
    throw unusable(`wants ${count} operators of a ${what} and lists ${chosen.length}`);
  }
  return chosen.slice(0, count);
}

function unusable(why: string): Error {
  return cannotTell('signing-config.unusable', `the signing config ${why}`, {
    hint: 'get the current one of this Sigstore instance, with tcf trust update where that follows it',
  });
}

export interface ServiceFlags {
  readonly fulcioUrl?: string;
  readonly rekorUrl?: string;
  /** 1 where absent. */
  readonly rekorVersion?: string;
  readonly tsaUrl?: string;
}

/** The services that flags name. @throws TcfError `flags.url`, `flags.rekor-version` (exit 3). */
export function toServices(flags: ServiceFlags): SigningServices {
  const fulcio = readUrl('--fulcio-url', flags.fulcioUrl);
  const rekor = readUrl('--rekor-url', flags.rekorUrl);
  const tsa = readUrl('--tsa-url', flags.tsaUrl);
  const version = { '1': 1, '2': 2 }[flags.rekorVersion ?? '1'];
  if (version !== 1 && version !== 2) {
    throw askedWrongly(
      'flags.rekor-version',
      `--rekor-version is 1 or 2, not ${quoted(flags.rekorVersion ?? '')}`,
    );
  }
  return compact({
    fulcio,
    logs: rekor === undefined ? [] : [{ url: rekor, version } as const],
    timestamps: tsa === undefined ? [] : [tsa],
  });
}

export function readUrl(flag: string, text: string | undefined): URL | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (isServiceUrl(text)) {
    return new URL(text);
  }
  throw askedWrongly('flags.url', `${flag} is not an http or https address: ${quoted(text)}`);
}

/** An http or https address without credentials in it. */
export function isServiceUrl(text: string): boolean {
  if (!URL.canParse(text)) {
    return false;
  }
  const { protocol, username, password } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}
