/** The languages that a new service can be in. */
export const LANGUAGES = ['ts', 'wasm', 'cpp'] as const;
export type Language = (typeof LANGUAGES)[number];

/** A package that a new service needs, in the manifest of its folder: a version, or a path as npm takes it. */
export type ShoalPackage = string;

/** The files of a new service, by name. */
export function filesOf(language: Language, name: string, shoal: ShoalPackage): Readonly<Record<string, string>> {
  switch (language) {
    case 'ts':
      return typescript(name, shoal);
    case 'wasm':
      return assemblyScript(name);
    case 'cpp':
      return cpp(name);
  }
}

function typescript(name: string, shoal: ShoalPackage): Readonly<Record<string, string>> {
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: {
      start: `shoal up --service ${name}.ts --watch`,
      test: `shoal service test ${name}.ts`,
      build: `shoal service build ${name}.ts`,
    },
    devDependencies: { '@types/node': '^24.0.0', shoal },
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
    },
  };
  return {
    [`${name}.ts`]: `import { type Service, ServiceError } from 'shoal/service';

// The first operation is the one for requests that name none.
export default {
  upper: (text) => text.toUpperCase(),

  async initials(text) {
    const words = text.split(/\\s+/).filter((word) => word !== '');
    // The client gets the status and the message.
    if (words.length === 0) throw new ServiceError(422, 'expected a name');
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
const service = await loadService(new URL('${name}.ts', import.meta.url));

test('upper', async () => {
  assert.equal(await service.call('upper', 'hello'), 'HELLO');
});

test('initials', async () => {
  assert.equal(await service.call('initials', 'Grace Brewster Hopper'), 'GBH');
  await assert.rejects(service.call('initials', ' '), { status: 422, message: 'expected a name' });
});
`,
    'package.json': json(manifest),
    'tsconfig.json': json(tsconfig),
    '.gitignore': 'node_modules/\n*.elf\n*.service\n*.shoal.json\n',
  };
}

function cpp(name: string): Readonly<Record<string, string>> {
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
shoal service build ${name}.cpp --output ${name}.elf
shoal image check ${name}.elf
`,
    '.gitignore': '*.elf\n',
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
