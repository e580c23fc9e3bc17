// A few hundred small programs come out of the engine in a virtual machine as they come out of Node.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { accelerators, FrameType, Guest } from './guest.mjs';
import { programs, showSource } from './programs.mjs';
import { script, serviceText, withFile } from './service-file.mjs';

const image = fileURLToPath(new URL('../build/shoal-engine.elf', import.meta.url));
const service = serviceText('evaluate', `${showSource}\n${script('{ evaluate }')}`);

process.env.TZ = 'UTC'; // as in the guest
const evaluate = new Function(`${showSource}\nreturn evaluate`)();

for (const accelerator of accelerators()) {
  describe(`programs under ${accelerator}`, () => {
    test(`${programs.length} of them come out as in Node`, () =>
      withFile(service, async (initrd) => {
        const guest = await Guest.start({ image, accelerator, initrd });
        try {
          await guest.ready();
          const client = await guest.connect();
          const differences = [];
          for (const program of programs) {
            const expected = await evaluate(program);
            const answer = await client.ask('evaluate', program);
            if (answer.type !== FrameType.reply || answer.payload !== toWellFormed(expected)) {
              differences.push({ program, expected, got: answer.payload });
            }
          }
          assert.deepEqual(differences, []);
          assert.ok(programs.length >= 500);
        } finally {
          await guest.end();
        }
      }));
  });
}

function toWellFormed(text) {
  return text.toWellFormed();
}
