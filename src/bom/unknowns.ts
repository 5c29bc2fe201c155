import type { Component, Property } from './model.ts';

/** The property that says which field of a component nobody could tell. An absent member may also mean that nobody asked. */
export const unknownField = 'tcf:unknown';

/** The component with what is not known of it as properties. Nested components too. */
export function withUnknowns(component: Component): Component {
  const { components, licenses = [], properties = [], version } = component;
  const unknown: readonly Property[] = [
    ...(version === undefined ? [{ name: unknownField, value: 'version' }] : []),
    ...(licenses.length === 0 ? [{ name: unknownField, value: 'license' }] : []),
  ];
  return {
    ...component,
    ...(unknown.length === 0 ? {} : { properties: [...properties, ...unknown] }),
    ...(components === undefined ? {} : { components: components.map(withUnknowns) }),
  };
}

/** The minimum elements of 2026 want a hash of each component, or to hear that it is unknown. Nested components too. */
export function withStatedHash(component: Component): Component {
  const { components, hashes = [], properties = [] } = component;
  return {
    ...component,
    ...(hashes.length > 0 ? {} : { properties: [...properties, { name: unknownField, value: 'hash' }] }),
    ...(components === undefined ? {} : { components: components.map(withStatedHash) }),
  };
}

/** The minimum elements want a version, or to hear in its place that it is unknown (CISA, Component Version). Nested components too. */
export function withStatedVersion(component: Component): Component {
  const { components, version = 'unknown' } = component;
  return {
    ...component,
    version,
    ...(components === undefined ? {} : { components: components.map(withStatedVersion) }),
  };
}
