import { compact } from '../base/compact.ts';
import type { Component, Property } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';
import type { Catalog, Cataloger, Ownership, Tree, TreeFile } from './contract.ts';
import { gitPlaces, headCommit, isGitFile, originOf } from './git.ts';
import { identifiedBy } from './identity.ts';
import { checkoutsIn, commitIn, isPinFile, pinPlaces } from './llvm/checkouts.ts';
import { roleOfName } from './llvm/places.ts';
import { llvmOverrides, toolOverrides } from './triton-env.ts';

const marker = /^(.+)\/include\/triton\/Dialect\/Triton\/IR\/Dialect\.h$/s;

/**
 * Source trees of Triton, which no package database knows. What is installed from them is the python
 * cataloger's; the LLVM they pin is the llvm cataloger's, nested here because the pin file lies in the tree.
 */
export const triton: Cataloger = {
  name: 'triton',
  wantedAt: ['**/include/triton/Dialect/Triton/IR/Dialect.h', ...gitPlaces, ...pinPlaces],
  wants: (path) => marker.test(path) || isGitFile(path) || isPinFile(path),
  catalog(tree: Tree): Catalog {
    const components: Component[] = [];
    const owners: Ownership[] = [];
    const checkouts = checkoutsIn(tree);
    for (const file of tree.wanted()) {
      const root = marker.exec(file.path)?.[1];
      if (root === undefined || !tree.exists(`${root}/python/triton`)) {
        continue;
      }
      const commit = headCommit(tree, root);
      const origin = originOf(tree, root);
      // A fork is another repository; where the clone does not name one, it is Triton by its files.
      const [namespace = '', name = ''] = (origin?.github ?? 'triton-lang/triton').split('/');
      const purl = toPurl(
        compact({
          type: 'github',
          namespace,
          name,
          version: commit,
        }),
      );
      const bomRef = `${purl}#${root}`;
      const overrides = [...toolOverrides(tree.env), ...llvmOverrides(tree.env)];
      components.push({
        bomRef,
        type: 'library',
        name: 'triton',
        ...(commit === undefined ? {} : { version: `git+${commit.slice(0, 8)}` }),
        purl,
        description: 'Triton source tree',
        licenses: [{ acknowledgement: 'concluded', expression: 'MIT' }],
        ...(origin === undefined ? {} : { externalReferences: [{ type: 'vcs' as const, url: origin.url }] }),
        properties: [
          { name: 'tcf:triton:checkout', value: root },
          ...pinProperties(checkouts.get(root) ?? []),
          ...overrides.map((value) => ({ name: 'tcf:triton:override', value })),
        ],
        evidence: {
          identity: identifiedBy(
            'version',
            commit === undefined
              ? { technique: 'filename', confidence: 0.3, value: file.path }
              : { technique: 'manifest-analysis', confidence: 0.8, value: `${root}/.git names ${commit}` },
          ),
          occurrences: [{ location: file.path, layer: file.layer }],
        },
      });
      owners.push({ bomRef, owns: (path) => path.startsWith(`${root}/`) });
    }
    return { components, dependencies: [], owners, skipped: [] };
  },
};

/**
 * What the tree says of the LLVM that it is to be built with: `HEX by checkout-pin`, `amd-codegen HEX by
 * checkout-pin`.
 */
function pinProperties(files: readonly TreeFile[]): readonly Property[] {
  return files.map((file) => {
    const role = roleOfName(file.path.slice(file.path.lastIndexOf('/') + 1));
    const commit = `${commitIn(file) ?? 'unknown'} by checkout-pin`;
    return { name: 'tcf:triton:pin', value: role === 'core' ? commit : `${role} ${commit}` };
  });
}
