import { Ajv2020 } from 'ajv/dist/2020.js';

/*
 * What GitLab asks of its reports, in our own words: container scanning by version 15.2.4 of its schema
 * (security-report-schemas), code quality by app/validators/json_schemas/codeclimate.json of GitLab and its
 * page about the report.
 */

const text = { type: 'string', minLength: 1 };
const tool = {
  type: 'object',
  required: ['id', 'name', 'version', 'vendor'],
  properties: {
    id: text,
    name: text,
    version: text,
    vendor: { type: 'object', required: ['name'], properties: { name: text } },
  },
};
const time = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$' };
const address = { type: 'string', pattern: '^(https?|ftp)://.+' };

const containerScanning = {
  type: 'object',
  required: ['scan', 'version', 'vulnerabilities'],
  properties: {
    version: { type: 'string', pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$' },
    scan: {
      type: 'object',
      required: ['analyzer', 'end_time', 'scanner', 'start_time', 'status', 'type'],
      properties: {
        analyzer: tool,
        scanner: tool,
        start_time: time,
        end_time: time,
        status: { enum: ['success', 'failure'] },
        type: { enum: ['container_scanning', 'container_scanning_for_registry'] },
        messages: {
          type: 'array',
          items: {
            type: 'object',
            required: ['level', 'value'],
            properties: { level: { enum: ['info', 'warn', 'fatal'] }, value: text },
          },
        },
      },
    },
    vulnerabilities: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'identifiers', 'location'],
        properties: {
          id: text,
          name: { type: 'string', maxLength: 255 },
          description: { type: 'string', maxLength: 1_048_576 },
          severity: { enum: ['Info', 'Unknown', 'Low', 'Medium', 'High', 'Critical'] },
          solution: { type: 'string', maxLength: 7000 },
          identifiers: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'object',
              required: ['type', 'name', 'value'],
              properties: { type: text, name: text, value: text, url: address },
            },
          },
          links: {
            type: 'array',
            items: { type: 'object', required: ['url'], properties: { url: address } },
          },
          location: {
            type: 'object',
            required: ['dependency', 'operating_system', 'image'],
            properties: {
              dependency: {
                type: 'object',
                required: ['package', 'version'],
                properties: {
                  package: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
                  version: { type: 'string' },
                },
              },
              operating_system: text,
              image: text,
            },
          },
        },
      },
    },
    remediations: { type: 'array' },
  },
};

const codeQuality = {
  type: 'array',
  items: {
    type: 'object',
    required: ['description', 'check_name', 'fingerprint', 'severity', 'location'],
    properties: {
      description: text,
      check_name: text,
      fingerprint: text,
      severity: { enum: ['info', 'minor', 'major', 'critical', 'blocker'] },
      location: {
        type: 'object',
        required: ['path', 'lines'],
        properties: {
          path: text,
          lines: {
            type: 'object',
            required: ['begin'],
            properties: { begin: { type: 'integer', minimum: 1 } },
          },
        },
      },
    },
  },
};

const ajv = new Ajv2020({ allErrors: true });
const validators = {
  'container scanning': ajv.compile(containerScanning),
  'code quality': ajv.compile(codeQuality),
} as const;

/** What is wrong with a report; nothing where it is right. */
export function gitlabProblems(
  kind: 'code quality' | 'container scanning',
  report: unknown,
): readonly string[] {
  const validate = validators[kind];
  return validate(report)
    ? []
    : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
