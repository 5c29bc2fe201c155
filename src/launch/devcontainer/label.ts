import { isObject } from '../../base/json.ts';
import { hostVariables } from '../flags/values.ts';
import { type DevContainer, malformed, parseJsonc } from './document.ts';

/**
 * Keys of the image's label `devcontainer.metadata` that stay inside of the container. The CLI merges the
 * label into the configuration, so an image could ask for all others without a word in the project
 * (devcontainers specification, "Image Metadata").
 */
const insideKeys: ReadonlySet<string> = new Set(
  `containerEnv containerUser customizations forwardPorts hostRequirements id init onCreateCommand otherPortsAttributes overrideCommand
  portsAttributes postAttachCommand postCreateCommand postStartCommand remoteEnv remoteUser shutdownAction updateContentCommand
  updateRemoteUserUID userEnvProbe waitFor`.split(/\s+/),
);

/**
 * What the label asks for beyond the container, and what the project did not ask for itself.
 *
 * @param label JSON: an object or a list of objects.
 * @throws TcfError `devcontainer.malformed` (exit 3).
 */
export function powersOfLabel(label: string, { members }: DevContainer): readonly string[] {
  const what = 'the label devcontainer.metadata';
  const read = parseJsonc(label, what);
  const asked = new Set<string>();
  for (const entry of Array.isArray(read) ? read : [read]) {
    if (!isObject(entry)) {
      throw malformed(what, 'an entry is not an object');
    }
    for (const [key, value] of Object.entries(entry)) {
      const isNothing = value === false || (Array.isArray(value) && value.length === 0);
      const isOurs = JSON.stringify(members[key]) === JSON.stringify(value);
      if (isNothing || isOurs) {
        continue;
      }
      if (!insideKeys.has(key)) {
        asked.add(key);
      }
      for (const name of hostVariables(JSON.stringify(value) ?? '')) {
        asked.add(`\${localEnv:${name}}`);
      }
    }
  }
  return [...asked].sort();
}
