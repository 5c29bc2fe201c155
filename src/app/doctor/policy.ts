import { broken, type Diagnostic, note, ok } from '../../base/diagnostic.ts';
import { plural } from '../../base/text.ts';
import { idleScopes } from '../../policy/check.ts';
import type { JudgedFinding } from '../../policy/decide.ts';
import type { Policy } from '../../policy/document.ts';
import { judgeRoot, usesRoots } from '../../policy/root-age.ts';
import type { Host } from '../../system/host.ts';
import { whoElseWrites } from '../../system/owners.ts';
import { loadPolicies } from '../trust/policies.ts';
import { loadTrust } from '../trust/trust.ts';
import type { DoctorCheck } from './check.ts';

/** The policies in force, and whom they believe. */
export const policy: DoctorCheck = {
  name: 'policy',
  async examine(host, request) {
    const policies = await loadPolicies(host, request.policy);
    const found = policies.map((one) => {
      const idle = idleScopes(one, host.now()).map(({ match }) => match);
      if (idle.length > 0) {
        return broken(
          'policy.idle',
          `${one.name} denies nothing in ${idle.join(', ')}: every rule there only warns, or is true of every image`,
          'take "mode: warn" away from what you mean; tcf policy check FILE says more',
        );
      }
      return ok(
        'policy.in-force',
        `${one.name} is in force: ${plural(one.scopes.length, 'scope')}, ${plural(one.signers.size, 'signer')}`,
      );
    });
    const trusts = await Promise.all(
      policies.map(async (one) => {
        const { dates, keys } = await loadTrust(host, one, request.trustedRoot);
        const roots = usesRoots(one) ? dates : [];
        return [
          ok(
            'policy.trust',
            `${one.name} believes ${plural(keys.length, 'key')} and ${plural(roots.length, 'Sigstore instance')}`,
          ),
          ...roots.map((root) => toFinding(judgeRoot(root, one, host.now()))),
        ];
      }),
    );
    return [...found, ...policies.flatMap((one) => openToOthers(host, one)), ...trusts.flat()];
  },
};

/**
 * A policy of the machine or of the user that somebody else can change; that of a project belongs to whoever
 * works there.
 */
function openToOthers(host: Host, { name, origin }: Policy): readonly Diagnostic[] {
  if (origin !== 'machine' && origin !== 'user') {
    return [];
  }
  const who = whoElseWrites(name, origin === 'machine' ? 0 : host.uid);
  return who === undefined
    ? []
    : [
        broken(
          'policy.writable',
          `${who}, and so say what ${name} says`,
          'chmod go-w, and chown where it belongs to another user',
        ),
      ];
}

function toFinding({ hint = '', message, mode, outcome }: JudgedFinding): Diagnostic {
  if (outcome === 'pass') {
    return ok('trust.root-age', message);
  }
  return mode === 'warn' ? note('trust.root-age', message, hint) : broken('trust.root-age', message, hint);
}
