import { readFileSync } from 'node:fs';
import { guestFile } from '../../guest-files.ts';

/** The languages that a new service can be in. */
export const LANGUAGES = ['ts', 'wasm', 'cpp'] as const;
export type Language = (typeof LANGUAGES)[number];

/** How a folder's files name the Shoal that writes them. */
export interface ShoalNames {
  /** In a manifest: a version, or a path as npm takes it. */
  readonly dependency: string;
  /** In a script of a shell: a command, which may be a path. */
  readonly command: string;
  /** A checkout has its sources, and nothing built of them. */
  readonly isCheckout: boolean;
}

export interface Template {
  /** By name. */
  readonly files: Readonly<Record<string, string>>;
  /** The command to go on with; undefined where this Shoal cannot build it. */
  readonly next: string | undefined;
}

const ASSEMBLYSCRIPT_VERSION = '^0.28.0';
const TYPESCRIPT_VERSION = '^7.0.2';

/** What a new service begins with. */
export function templateOf(language: Language, name: string, shoal: ShoalNames): Template {
  switch (language) {
    case 'ts':
      return { files: typescript(name, shoal), next: `shoal up --service ${name}.ts --watch` };
    case 'wasm': {
      const next = `npm install && npm run build && shoal up --service ${name}.wasm`;
      return { files: assemblyScript(name, shoal), next: shoal.isCheckout ? next : undefined };
    }
    case 'cpp':
      return { files: cpp(name, shoal), next: shoal.isCheckout ? `shoal up --service ${name}.cpp` : undefined };
  }
}

function typescript(name: string, shoal: ShoalNames): Readonly<Record<string, string>> {
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: {
      start: `shoal up --service ${name}.ts --watch`,
      test: `shoal service test ${name}.ts`,
      check: 'tsc',
      build: `shoal service build ${name}.ts`,
    },
    devDependencies: { '@types/node': '^24.0.0', shoal: shoal.dependency, typescript: TYPESCRIPT_VERSION },
  };
  const tsconfig = {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      ...(shoal.isCheckout ? { customConditions: ['shoal-source'] } : {}),
    },
  };
  return {
    [`${name}.ts`]: `import { type Service, ServiceError } from 'shoal/service';

// The first operation is the one for requests that name none.
export default {
  upper: (text) => text.toUpperCase(),

  async initials(text) {
    const words = text.split(/\\s+/).filter((word) => word !== '');
    // The client gets the code and the message.
    if (words.length === 0) throw new ServiceError(400, 'expected a name');
    return words.map((word) => word.slice(0, 1).toUpperCase()).join('');
  },
} satisfies Service;

// If a VM dies, its request may be worked on once more: these operations only read their text.
export const idempotent = true;
`,
    [`${name}.test.ts`]: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadService } from 'shoal/service/testing';

// In the engine of the VMs, without a VM.
const service = await loadService(\`\${import.meta.dirname}/${name}.ts\`);

test('upper', async () => {
  assert.equal(await service.call('upper', 'hello'), 'HELLO');
});

test('initials', async () => {
  assert.equal(await service.call('initials', 'Grace Brewster Hopper'), 'GBH');
  await assert.rejects(service.call('initials', ' '), { status: 400, message: 'expected a name' });
});
`,
    'package.json': json(manifest),
    'tsconfig.json': json(tsconfig),
    '.gitignore': 'node_modules/\n*.elf\n*.service\n*.shoal.json\n',
  };
}

/** The module keeps what docs/wasm-services.md says. */
function assemblyScript(name: string, shoal: ShoalNames): Readonly<Record<string, string>> {
  const manifest = {
    name,
    private: true,
    scripts: {
      build: `asc assembly/index.ts --outFile ${name}.wasm --optimize`,
      test: `npm run build && shoal service build ${name}.wasm && shoal image check ${name}.elf`,
      start: `npm run build && shoal up --service ${name}.wasm`,
    },
    devDependencies: { assemblyscript: ASSEMBLYSCRIPT_VERSION, shoal: shoal.dependency },
  };
  return {
    'assembly/index.ts': `import { refuse, reply, textOf } from './shoal';
export { shoal_alloc, shoal_idempotent } from './shoal';

// Each function whose name begins with shoal_op_ is an operation. The first one is for requests that name none.
export function shoal_op_upper(at: usize, size: i32): u64 {
  const text = textOf(at, size);
  // The client gets the code and the message.
  if (text.length == 0) return refuse(400, 'expected a text');
  return reply(text.toUpperCase());
}
`,
    'assembly/shoal.ts': sdkFile('shoal.ts'),
    'assembly/tsconfig.json': json({ extends: 'assemblyscript/std/assembly.json', include: ['./**/*.ts'] }),
    'package.json': json(manifest),
    '.gitignore': 'node_modules/\n*.wasm\n*.elf\n',
  };
}

function sdkFile(name: string): string {
  return readFileSync(guestFile(`sdk/${name}`, `wasm/sdk/${name}`), 'utf8');
}

function cpp(name: string, { command }: ShoalNames): Readonly<Record<string, string>> {
  return {
    [`${name}.cpp`]: `#include "shoal/service.h"

namespace {

bool greet(const shoal::Request& request, shoal::Reply& reply) {
  if (request.text.empty()) return reply.fail(400, "expected a name");
  return reply.write("Hello, ") && reply.write(request.text) && reply.write("!");
}

// The first operation is the one for requests that name none.
constexpr shoal::Operation kOperations[] = {{"greet", greet}};

}  // namespace

const shoal::Service shoal::service = {kOperations, /*idempotent=*/true};
`,
    'test.sh': `#!/bin/sh
# Builds the image, boots it once, and looks whether it keeps the contract.
set -eu
cd "$(dirname "$0")"
shoal=\${SHOAL:-${command}}
"$shoal" service build ${name}.cpp --output ${name}.elf
"$shoal" image check ${name}.elf
`,
    '.gitignore': '*.elf\n',
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
