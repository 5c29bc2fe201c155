import { describe, expect, test } from 'vitest';
import { instructionOf } from '../../src/oci/history.ts';
import { instructionOfStep, lastFrom, parseContainerfile } from '../../src/report/containerfile.ts';

/* Steps as engines write them into the history of an image, and the lines that they came from. */

const text = `# syntax=docker/dockerfile:1
# escape=\\
ARG BASE=debian:13
FROM golang AS build
RUN go build ./...
FROM \${BASE}
ENV A=b \\
    C=d

RUN --mount=type=cache,target=/root/.cache echo one $X \\
    # a comment within
    && echo two > /two
COPY --chmod=644 two.txt three.txt \\
     /opt/
COPY four.txt /srv/
RUN <<-"SCRIPT"
\tset -e
\techo RUN nothing
\tSCRIPT
RUN ["/bin/sh", "-c", "echo json > /j"]
run cat <<< EOF > /here
RUN apt-get update
RUN apt-get update
LABEL a=b
`;
const containerfile = { path: 'Containerfile', instructions: parseContainerfile(text) };
const linesOf = (step: string) => {
  const found = instructionOfStep(containerfile, step);
  return found === undefined ? undefined : [found.line, found.endLine];
};

test.for<[string, string, readonly number[] | undefined]>([
  ['buildah, with arguments of the build', '|1 X=1 /bin/sh -c echo one $X     && echo two > /two', [10, 12]],
  ['a value with spaces', '|2 X=1 2 Y= /bin/sh -c echo one $X && echo two > /two', [10, 12]],
  ['BuildKit', 'RUN |1 X=1 /bin/sh -c echo one $X     && echo two > /two # buildkit', [10, 12]],
  ['BuildKit, without arguments', 'RUN /bin/sh -c cat <<< EOF > /here # buildkit', [21, 21]],
  ['ENV', '/bin/sh -c #(nop) ENV A=b     C=d', [7, 8]],
  ['COPY of BuildKit', 'COPY two.txt three.txt /opt/ # buildkit', [13, 14]],
  ['COPY of buildah, which names a sum', '/bin/sh -c #(nop) COPY multi:391761f0c215 in /opt/ ', [13, 14]],
  ['the form of JSON', '|1 X=1 /bin/sh -c ["/bin/sh", "-c", "echo json > /j"]', [20, 20]],
  ['as an SBOM cuts it', 'RUN echo one $X && ec…', [10, 12]],
  ['of an earlier stage', '/bin/sh -c go build ./...', [5, 5]],
  ['twice in the file, so nobody can tell', '/bin/sh -c apt-get update', undefined],
  ['of the base', '/bin/sh -c #(nop) ADD file:abc in / ', undefined],
  ['another target', '/bin/sh -c #(nop) COPY file:391761f0c215 in /etc/ ', undefined],
  ['nothing', '', undefined],
])('%s', ([, step, lines]) => {
  expect(linesOf(step)).toEqual(lines);
});

describe('the file', () => {
  test('stages, here-documents and comments', () => {
    expect(containerfile.instructions.map(({ keyword, line, stage }) => [line, keyword, stage])).toEqual([
      [3, 'ARG', -1],
      [4, 'FROM', 0],
      [5, 'RUN', 0],
      [6, 'FROM', 1],
      [7, 'ENV', 1],
      [10, 'RUN', 1],
      [13, 'COPY', 1],
      [15, 'COPY', 1],
      [16, 'RUN', 1],
      [20, 'RUN', 1],
      [21, 'RUN', 1],
      [22, 'RUN', 1],
      [23, 'RUN', 1],
      [24, 'LABEL', 1],
    ]);
    expect(lastFrom(containerfile)).toMatchObject({ line: 6 });
  });

  test('another character joins lines, where the file says so', () => {
    const found = parseContainerfile('# escape=`\r\nFROM a\r\nRUN dir `\r\n  c:\\\r\nRUN x\r\n');
    expect(found.map(({ endLine, line }) => [line, endLine])).toEqual([
      [2, 2],
      [3, 4],
      [5, 5],
    ]);
  });

  test('what never ends', () => {
    expect(parseContainerfile('FROM a\nRUN <<EOF\nx').at(-1)).toMatchObject({ line: 2, endLine: 3 });
    expect(parseContainerfile('FROM a\nRUN x \\').at(-1)).toMatchObject({ line: 2, endLine: 2 });
  });
});

test('a step of a million arguments is read in one pass', () => {
  const step = `|1000000 ${'A=b '.repeat(250_000)}/bin/sh -c true`;
  expect(instructionOf(step)).toBe('RUN true');
  expect(instructionOf(`|9 ${'A='.repeat(100_000)}`).length).toBeGreaterThan(0);
});
