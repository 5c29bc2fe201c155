import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { folder } from '../support/host.ts';
import { runProgram } from '../support/run-program.ts';

/*
 * The script of docs/vulnerabilities.md against a server that holds it to the API of Dependency-Track: BomResource,
 * VexResource and EventResource as of 2026-08-21 (paths, methods, media types, names of the fields and what they have to
 * be, codes of answers): its openapi.yaml is about version 2 of the API, which has no uploads, and that of version 1 is
 * made from these annotations. It is no Dependency-Track: that cannot be run here, and what it makes of the files is not
 * shown.
 */

const place = folder();
const key = 'odt_0123456789';
const token = '9f2c6e3a-1111-4222-8333-444455556666';
const script =
  [
    ...readFileSync(join(import.meta.dirname, '../../docs/vulnerabilities.md'), 'utf8').matchAll(
      /```sh\n(.*?)```/gs,
    ),
  ]
    .map(([, text = '']) => text)
    .find((text) => text.includes('/api/v1/bom')) ?? '';

const fields = {
  bom: [
    'project',
    'autoCreate',
    'projectName',
    'projectVersion',
    'projectTags',
    'parentName',
    'parentVersion',
    'parentUUID',
    'isLatest',
    'isActive',
    'bom',
  ],
  vex: ['project', 'projectName', 'projectVersion', 'vex'],
} as const;

let calls: string[] = [];
let problems: string[] = [];
/** How often a token is still worked on, and how the next upload is answered. */
let busy = 2;
let refusal: number | undefined;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function checkForm(kind: 'bom' | 'vex', request: IncomingMessage, body: string): void {
  const [, boundary] =
    /^multipart\/form-data; boundary=(\S+)$/.exec(request.headers['content-type'] ?? '') ?? [];
  if (boundary === undefined) {
    problems.push(`${kind}: no form`);
    return;
  }
  const parts = new Map(
    body
      .split(`--${boundary}`)
      .slice(1, -1)
      .map((part): [string, string] => {
        const [head = '', ...content] = part.split('\r\n\r\n');
        return [/ name="([^"]+)"/.exec(head)?.[1] ?? '', content.join('\r\n\r\n').replace(/\r\n$/, '')];
      }),
  );
  const unknown = [...parts.keys()].filter((name) => !(fields[kind] as readonly string[]).includes(name));
  problems.push(...unknown.map((name) => `${kind}: there is no field ${name}`));
  // Either a project by its UUID, or a name and a version.
  if (!parts.has('project') && (!parts.get('projectName') || !parts.get('projectVersion'))) {
    problems.push(`${kind}: no project`);
  }
  const document = JSON.parse(parts.get(kind) ?? '{}');
  if (document.bomFormat !== 'CycloneDX') {
    problems.push(`${kind}: not CycloneDX`);
  }
}

const server = createServer(async (request, response) => {
  const body = await bodyOf(request);
  const answer = (status: number, value: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  calls.push(`${request.method} ${request.url}`);
  if (request.headers['x-api-key'] !== key) {
    answer(401, {});
    return;
  }
  const [, kind] = /^\/api\/v1\/(bom|vex)$/.exec(request.url ?? '') ?? [];
  if (request.method === 'POST' && (kind === 'bom' || kind === 'vex')) {
    if (refusal !== undefined) {
      answer(refusal, {
        status: refusal,
        title: 'The uploaded BOM is invalid',
        detail: 'Schema validation failed',
      });
      return;
    }
    checkForm(kind, request, body);
    answer(200, { token });
  } else if (request.method === 'GET' && request.url === `/api/v1/event/token/${token}`) {
    busy -= 1;
    answer(200, { processing: busy >= 0 });
  } else {
    problems.push(`${request.method} ${request.url} is not of the API`);
    answer(404, {});
  }
});

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  for (const name of ['dev.cdx.json', 'dev.vex.json']) {
    writeFileSync(join(place.path, name), '{"bomFormat":"CycloneDX","specVersion":"1.6"}');
  }
});
beforeEach(() => {
  calls = [];
  problems = [];
  busy = 2;
  refusal = undefined;
});
afterAll(() => {
  server.close();
  place[Symbol.dispose]();
});

async function send(env: Readonly<Record<string, string>> = {}) {
  const { port } = server.address() as AddressInfo;
  return await runProgram('bash', ['-c', script], {
    cwd: place.path,
    env: {
      PATH: process.env['PATH'] ?? '',
      DTRACK: `http://127.0.0.1:${port}`,
      KEY: key,
      PROJECT: 'triton dev; "x"',
      VERSION: '1.0+a/b',
      PAUSE: '0',
      ...env,
    },
  });
}

describe('handing an SBOM and VEX to Dependency-Track', () => {
  test('the SBOM, the token until it is done, then the VEX', async () => {
    const { code } = await send();
    expect(problems).toEqual([]);
    expect(calls).toEqual([
      'POST /api/v1/bom',
      ...Array.from({ length: 3 }, () => `GET /api/v1/event/token/${token}`),
      'POST /api/v1/vex',
    ]);
    expect(code).toBe(0);
  });

  test('an upload that is refused says why, and nothing follows it', async () => {
    refusal = 400;
    const { code } = await send();
    expect(code).not.toBe(0);
    expect(calls).toEqual(['POST /api/v1/bom']);
  });

  test('a wrong key, and work that does not end', async () => {
    expect((await send({ KEY: 'other' })).code).not.toBe(0);
    busy = 100;
    expect((await send({ TRIES: '3' })).code).toBe(2);
    expect(calls).not.toContain('POST /api/v1/vex');
  });
});
