import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly type?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);

/**
 * A published CustomResourceDefinition as the API server holds objects to it. What that would prune without a
 * word is refused here: a field that nobody reads denies nothing.
 */
export function openCrd(text: string): (object: unknown) => ValidateFunction {
  const { group, names, versions } = (parse(text) as Crd).spec;
  const validators = new Map(
    versions
      .filter(({ served }) => served)
      .map(({ name, schema }) => [`${group}/${name}`, ajv.compile(asServed(schema.openAPIV3Schema))]),
  );
  return (object) => {
    const { apiVersion, kind } = object as { readonly apiVersion?: string; readonly kind?: string };
    const validator = validators.get(apiVersion ?? '');
    if (kind !== names.kind || validator === undefined) {
      throw new Error(`no ${kind} of ${apiVersion} is served`);
    }
    return validator;
  };
}

/** Every object has these three; the name is a DNS subdomain. */
function asServed(schema: Schema): Schema {
  const name = { type: 'string', maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' };
  const metadata = { type: 'object', properties: { name }, required: ['name'] };
  const text = { type: 'string' };
  return sealed({ ...schema, properties: { ...schema.properties, apiVersion: text, kind: text, metadata } });
}

/**
 * The structural part alone lists fields; what stands under `anyOf` and the like only says more about them.
 */
function sealed(schema: Schema): Schema {
  const { additionalProperties, items, properties } = schema;
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const within = properties && Object.fromEntries(Object.entries(properties).map(([k, v]) => [k, sealed(v)]));
  const { type: _, ...untyped } = schema;
  return {
    ...(schema['x-kubernetes-int-or-string'] === true ? untyped : schema),
    ...(within === undefined ? {} : { properties: within }),
    ...(items === undefined ? {} : { items: sealed(items) }),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: sealed(additionalProperties) }
      : schema.type === 'object' && !isOpen && additionalProperties === undefined
        ? { additionalProperties: false }
        : {}),
  };
}
