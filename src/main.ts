#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { main } from './cli.ts';
import { processHost } from './host.ts';

// A scan throws most of what it allocates away at once. By default V8 lets that pile up to a third of a gigabyte before it looks; the
// live part is 15 MB for a usual image and 60 MB for half a million files (bench/memory.sh).
setFlagsFromString('--optimize-for-size');

process.exitCode = await main(process.argv.slice(2), processHost(process));
