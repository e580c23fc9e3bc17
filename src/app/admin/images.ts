import { ShoalError } from '../../errors.ts';
import { IMAGE_BYTES_MAX, parseProfile } from '../../hypervisor/mod.ts';
import { isRecord } from '../../is-record.ts';
import { isDigest } from '../../store/mod.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import { beginDeploy, CANARIES_MAX, CANARY_SECONDS_MAX } from '../deploy/begin-deploy.ts';
import { hasImage, type ImagePart, keepSent, takePart } from '../kept-image.ts';
import { Arguments } from './arguments.ts';
import { type AdminDeps, snapshotOf } from './deps.ts';

/** Verbs about the image that VMs are started from. */
export function imageHandlers(deps: AdminDeps): Readonly<Record<string, AdminHandler>> {
  const { data, deploys } = deps;
  return {
    'image-offer': async (args) => {
      const digest = digestIn(new Arguments(args));
      // What is sent in vain takes its time.
      deploys.checkNoneRuns();
      return { has: await hasImage(data, digest) };
    },
    'image-part': async (args) => {
      deploys.checkNoneRuns();
      await takePart(data, partIn(new Arguments(args)));
      return {};
    },
    'image-keep': async (args) => {
      const named = new Arguments(args);
      const digest = digestIn(named);
      deploys.checkNoneRuns();
      const profile = parseProfile(isRecord(args) ? args['profile'] : undefined, `that was sent with ${digest}`);
      await keepSent(data, digest, profile, named.flag('boot')).catch((error: unknown) => {
        // A deploy that began meanwhile has removed what was sent.
        deploys.checkNoneRuns();
        throw error;
      });
      return {};
    },
    'image-deploy': async (args) => {
      const named = new Arguments(args);
      const image = digestIn(named);
      const canary = named.whole('canary', { min: 0, max: CANARIES_MAX });
      const canaryMs = named.whole('canary_ms', { min: 0, max: CANARY_SECONDS_MAX * 1_000 });
      await beginDeploy(deps, { image, canary, canaryMs });
      return status(deps);
    },
    'image-rollback': async () => {
      await deploys.rollBack();
      return status(deps);
    },
    'image-status': () => status(deps),
  };
}

/** Which image is deployed, how far a deploy is, and how many VMs run which image. */
async function status(deps: AdminDeps): Promise<unknown> {
  const { vms, deploy: figures } = await snapshotOf(deps);
  const { image, before, deploy } = deps.deploys.document;
  const counts = new Map<string, number>();
  for (const { image_digest: digest } of vms) {
    if (digest !== null) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  const answers = figures === null || figures.id !== deploy?.id ? NO_ANSWERS : answersOf(figures);
  return {
    host: deps.options.host,
    image,
    before,
    vms: [...counts].map(([digest, count]) => ({ image: digest, vms: count })),
    deploy:
      deploy === null
        ? null
        : {
            image: deploy.image,
            before: deploy.before,
            phase: deploy.phase,
            why: deploy.why,
            canary: deploy.canary,
            canary_ms: deploy.canaryMs,
            started_ms: deploy.id,
            ended_ms: deploy.ended_ms,
            ...answers,
          },
  };
}

const NO_ANSWERS = { new_answers: null, new_errors: null, old_answers: null, old_errors: null };

type Answers = Readonly<Record<keyof typeof NO_ANSWERS, number | null>>;

function answersOf(figures: Answers): Answers {
  const { new_answers, new_errors, old_answers, old_errors } = figures;
  return { new_answers, new_errors, old_answers, old_errors };
}

function digestIn(named: Arguments): string {
  const digest = named.text('digest');
  if (isDigest(digest)) return digest;
  throw new ShoalError('NATS_MESSAGE_INVALID', `Expected digest to be a SHA-256, got ${JSON.stringify(digest)}`);
}

function partIn(named: Arguments): ImagePart {
  const digest = digestIn(named);
  const bytes = named.whole('bytes', { min: 1, max: IMAGE_BYTES_MAX });
  const at = named.whole('at', { min: 0, max: bytes - 1 });
  const part = named.bytes('part');
  const file = named.text('file') === 'boot' ? 'boot' : 'image';
  if (at + part.length <= bytes) return { digest, file, bytes, at, part };
  throw new ShoalError('NATS_MESSAGE_INVALID', `A part at ${at} of ${part.length} bytes ends after ${bytes}`);
}
