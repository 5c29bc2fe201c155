import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { elementsChanged } from '../support/certificate.ts';
import type { Loose } from '../support/key-bundle.ts';
import { openRecording, type Recording, recordings } from '../support/recordings.ts';
import { runs } from '../support/runs.ts';
import { changedAt, fieldChanges, flipped, leaves } from '../support/tamper.ts';

/*
 * Whatever is changed in what the real cosign wrote is refused: in the bundle, the statement, the
 * certificate, the checkpoint, the manifest that attaches them and the manifest of the image.
 */

const seed = 20261128;
/** For each document of each recording, 28 of them: 14 000 in all. */

/** Milliseconds; three seconds on two idle cores. */
const timeout = 300_000;

type Changes = Iterable<readonly [what: string, bytes: Uint8Array]>;

type Proof = ReturnType<Recording['prove']>;

/** A part of a recording that can be replaced. */
interface Document {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Each field with other values. */
  readonly fields: Changes;
  /** What is proven with other bytes in its place. */
  readonly proven: (bytes: Uint8Array) => Proof | Promise<Proof>;
  /**
   * Whether the same may be proven with these bytes: they say nothing else, or what nobody signs and nothing
   * is decided by.
   */
  readonly isHarmless: (bytes: Uint8Array) => boolean;
}

function* jsonChanges(bytes: Uint8Array): Changes {
  const json = JSON.parse(Buffer.from(bytes).toString());
  for (const path of leaves(json)) {
    for (const [what, change] of fieldChanges) {
      yield [`${path.join('.')} ${what}`, Buffer.from(JSON.stringify(changedAt(json, path, change)))];
    }
  }
}

/** Each line of a note is a field. */
function* lineChanges(bytes: Uint8Array): Changes {
  const lines = Buffer.from(bytes).toString().split('\n');
  for (const [index] of lines.entries()) {
    for (const [what, change] of fieldChanges) {
      yield [
        `line ${index} ${what}`,
        Buffer.from(
          changedAt(lines, [index], change)
            .filter((line: Loose) => line !== undefined)
            .join('\n'),
        ),
      ];
    }
  }
}

/**
 * What decides in a bundle: all of it but the indexes of entries without a promise, and what CMS leaves out
 * of its signature.
 */
function gistOf(read: ReturnType<Recording['read']>): unknown {
  if (!read.ok) {
    return undefined;
  }
  const { bundle, payload } = read.value;
  const entries = bundle.entries.map((entry) => ({ ...entry, logIndex: '' }));
  return { ...bundle, entries, timestamps: [], payload };
}

function documentsOf(recording: Recording): readonly Document[] {
  const { content, expected, image, manifest, prove, proveStored, read } = recording;
  const json: Loose = JSON.parse(Buffer.from(content).toString());
  const never = () => false;
  /** The content with other bytes at a place inside it. */
  const inside = (
    name: string,
    place: (json: Loose) => Loose,
    member: string,
    encoding: 'base64' | 'utf8',
    fields: (bytes: Uint8Array) => Changes,
  ): Document => {
    const bytes = Buffer.from(place(json)[member], encoding);
    const proven = (changed: Uint8Array) => {
      const copy = structuredClone(json);
      place(copy)[member] = Buffer.from(changed).toString(encoding);
      return prove(Buffer.from(JSON.stringify(copy)), expected.image);
    };
    return { name, bytes, fields: fields(bytes), proven, isHarmless: never };
  };
  const envelope = (root: Loose) => root.dsseEnvelope ?? root;
  const material = (root: Loose) => root.verificationMaterial;
  const checkpoint = (root: Loose) => material(root).tlogEntries[0].inclusionProof.checkpoint;
  return [
    {
      name: 'what the tool wrote',
      bytes: content,
      fields: jsonChanges(content),
      proven: (changed) => prove(changed, expected.image),
      isHarmless: (changed) => isDeepStrictEqual(gistOf(read(changed)), gistOf(read(content))),
    },
    ...('critical' in json ? [] : [inside('the statement', envelope, 'payload', 'base64', jsonChanges)]),
    ...(material(json)?.certificate === undefined
      ? []
      : [
          inside(
            'the certificate',
            (root) => material(root).certificate,
            'rawBytes',
            'base64',
            elementsChanged,
          ),
          inside('the checkpoint', checkpoint, 'envelope', 'utf8', lineChanges),
        ]),
    {
      name: 'the manifest that attaches it',
      bytes: manifest,
      fields: jsonChanges(manifest),
      proven: (changed) => proveStored({ manifest: changed }),
      isHarmless: never,
    },
    {
      // what its annotations say of type and content decides nothing.
      name: 'the manifest that attaches it, listed again',
      bytes: manifest,
      fields: jsonChanges(manifest),
      proven: (changed) => proveStored({ manifest: changed, listed: digestOf(changed) }),
      isHarmless: () => true,
    },
    {
      name: 'the manifest of the image',
      bytes: image,
      fields: jsonChanges(image),
      proven: (changed) => proveStored({ image: changed }),
      isHarmless: never,
    },
  ];
}

describe.for(recordings)('%s', (name) => {
  const recording = openRecording(name);
  const original = recording.prove(recording.content, recording.expected.image);

  /** Whether the change makes no difference, or the answer is no. */
  const holds = async ({ bytes, isHarmless, proven }: Document, changed: Uint8Array): Promise<boolean> => {
    const outcome = await proven(changed);
    if (!outcome.ok || Buffer.compare(bytes, changed) === 0) {
      return true;
    }
    return isDeepStrictEqual(outcome, original) && isHarmless(changed);
  };

  test.for(documentsOf(recording))('no field of $name can be changed', { timeout }, async (document) => {
    const accepted: string[] = [];
    for (const [what, changed] of document.fields) {
      if (!(await holds(document, changed))) {
        accepted.push(what);
      }
    }
    expect(accepted).toEqual([]);
  });

  test.for(documentsOf(recording))('no byte of $name can be changed', { timeout }, async (document) => {
    const { bytes } = document;
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) =>
        holds(document, flipped(bytes, at, mask)),
      ),
      { seed, numRuns: runs(500) },
    );
  });
});
