import type { Component, Property } from './model.ts';

/**
 * The property that says which field of a component nobody could tell. An absent member may also mean that
 * nobody asked.
 */
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

/**
 * The minimum elements of 2026 want producer, identifier and hash of each component, or to hear that they are
 * unknown: a Go module names nobody. Nested components too.
 */
export function withStatedElements(component: Component): Component {
  const {
    authors = [],
    components,
    cpe,
    hashes = [],
    manufacturer,
    properties = [],
    purl,
    supplier,
  } = component;
  const isNamed = authors.some(({ name }) => name !== undefined);
  const unknown = [
    ...(supplier === undefined && manufacturer === undefined && !isNamed ? ['producer'] : []),
    ...(cpe === undefined && purl === undefined ? ['identifier'] : []),
    ...(hashes.length === 0 ? ['hash'] : []),
  ];
  return {
    ...component,
    ...(unknown.length === 0
      ? {}
      : { properties: [...properties, ...unknown.map((value) => ({ name: unknownField, value }))] }),
    ...(components === undefined ? {} : { components: components.map(withStatedElements) }),
  };
}

/**
 * The minimum elements want a version, or to hear in its place that it is unknown (CISA, Component Version).
 * Nested components too.
 */
export function withStatedVersion(component: Component): Component {
  const { components, version = 'unknown' } = component;
  return {
    ...component,
    version,
    ...(components === undefined ? {} : { components: components.map(withStatedVersion) }),
  };
}
