import { Explanations } from '../app/mod.ts';
import { logLine } from '../console/mod.ts';
import type { FleetEvent, RequestRecord } from '../fleet/mod.ts';
import type { DecisionListener } from '../sim/mod.ts';
import type { Command, Flags } from './command.ts';
import { decisionLines, withRules } from './decision-lines.ts';
import { countWord, requestWord } from './explain-words.ts';
import { printable, printData, printJson } from './output.ts';
import { usage } from './parse.ts';
import { vmNumber } from './vm-word.ts';

/** What is to be explained of a run. */
type Subject =
  | { readonly kind: 'last'; readonly count: number }
  | { readonly kind: 'vm'; readonly vm: number; readonly host?: string }
  | { readonly kind: 'request'; readonly request: string };

/** What is to be told of a run besides its result. */
export interface WantedDecisions {
  /** As `shoal events` prints them. */
  readonly events: 'line' | 'why' | undefined;
  readonly subject: Subject | undefined;
}

/** @throws USAGE */
export function wantedDecisions(command: Command, flags: Flags): WantedDecisions {
  if (flags.has('why') && !flags.has('events')) throw usage(command, '--why belongs to --events');
  const explain = flags.text('explain');
  return {
    events: flags.has('events') ? (flags.has('why') ? 'why' : 'line') : undefined,
    subject: explain === undefined ? undefined : subjectOf(command, explain),
  };
}

/** What a simulated fleet decided, told as `shoal events` and `shoal explain` tell it of a real one. */
export class SimulationDecisions implements DecisionListener {
  readonly #form: WantedDecisions['events'] | 'json';
  readonly #subject: Subject | undefined;
  readonly #decisions = new Explanations();
  readonly #events: FleetEvent[] = [];
  readonly #steps: RequestRecord[] = [];

  constructor({ events, subject }: WantedDecisions, json: boolean) {
    this.#form = events !== undefined && json ? 'json' : events;
    this.#subject = subject;
  }

  /** Whether something of it was asked for. */
  get isWanted(): boolean {
    return this.#form !== undefined || this.#subject !== undefined;
  }

  onEvent(told: FleetEvent, at: string | undefined): void {
    const subject = this.#subject;
    const event = toldAt(told, at);
    if (this.#form === 'json') printJson(event);
    else if (this.#form !== undefined) printData(this.#form === 'why' ? whyOf(event) : printable(logLine(event)));
    if (subject?.kind === 'last') this.#decisions.see(event);
    else if (subject?.kind === 'vm' && event.vm === subject.vm && (subject.host ?? at) === at) this.#events.push(event);
  }

  onStep(step: RequestRecord, at: string | undefined): void {
    if (this.#subject?.kind === 'request' && step.requestId === this.#subject.request)
      this.#steps.push(toldAt(step, at));
  }

  /** For JSON, in the form of `shoal explain -o json`; undefined if nothing was to be explained. */
  explained(): object | undefined {
    const subject = this.#subject;
    switch (subject?.kind) {
      case undefined:
        return undefined;
      case 'last':
        return { kind: 'last', events: this.#decisions.last(subject.count) };
      case 'vm':
        return { ...subject, events: this.#events };
      case 'request':
        return { ...subject, steps: this.#steps };
    }
  }

  /** For people; undefined if nothing was to be explained. */
  text(): string | undefined {
    const subject = this.#subject;
    switch (subject?.kind) {
      case undefined:
        return undefined;
      case 'last':
        return textOf(this.#decisions.last(subject.count), 'Nothing was decided about a VM.');
      case 'vm':
        return textOf(
          this.#events,
          `There was no VM ${subject.host === undefined ? '' : `${subject.host}/`}${subject.vm}.`,
        );
      case 'request':
        return textOf(
          this.#steps,
          printable(`Nothing was recorded of the request ${JSON.stringify(subject.request)}; --lines names requests.`),
        );
    }
  }
}

/** @throws USAGE */
function subjectOf(command: Command, text: string): Subject {
  const [what, word, more] = text.trim().split(/\s+/);
  if (more === undefined) {
    if (what === 'last') return { kind: 'last', count: countWord(command, word) };
    if (what === 'vm') return vmOf(command, word);
    if (what === 'request') return { kind: 'request', request: requestWord(command, word) };
  }
  throw usage(
    command,
    `expected --explain last, "last N", "vm VM", "vm HOST/VM" or "request ID", in one argument, got ${JSON.stringify(text)}`,
  );
}

/** VMs are numbered by each host for itself: `3` is VM 3 of every host, `host-2/3` that of one. */
function vmOf(command: Command, word: string | undefined): Subject {
  const slash = word?.lastIndexOf('/') ?? -1;
  if (word === undefined || slash < 0) return { kind: 'vm', vm: vmNumber(command, word) };
  return { kind: 'vm', vm: vmNumber(command, word.slice(slash + 1)), host: word.slice(0, slash) };
}

/** With more than one host, it says of itself where it is from. */
function toldAt<T extends { readonly text: string }>(told: T, at: string | undefined): T {
  return at === undefined ? told : { ...told, at, text: `${at}: ${told.text}` };
}

function whyOf(event: FleetEvent): string {
  return decisionLines(event).join('\n');
}

function textOf(told: readonly (FleetEvent | RequestRecord)[], ifNone: string): string {
  return told.length === 0 ? ifNone : withRules(told.flatMap(decisionLines), told);
}
