import { addresseeOf } from '../addressee.ts';
import type { Behaviour } from '../behaviour.ts';
import { checked, TEXT } from '../checks.ts';
import { type Forwarder, passOn, tolerant, unknownKind } from '../pass-on.ts';
import type { Ref } from '../ref.ts';
import { WatchedRefs } from './watched-refs.ts';

/** All actors that offer a service, in the order in which they registered. */
export interface Listing<in M> {
  /** The name of the service. */
  readonly name: string;
  readonly refs: readonly Ref<M>[];
}

/** What a receptionist understands. A service key makes these messages, with the types of its service. */
export type ReceptionistMessage =
  | { readonly kind: 'register' | 'deregister'; readonly name: string; readonly ref: Ref<never> }
  | { readonly kind: 'find'; readonly name: string; readonly replyTo: Ref<Listing<unknown>> }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly name: string; readonly subscriber: Ref<Listing<unknown>> }
  /** An actor that the receptionist watches has ended. */
  | { readonly kind: 'ended'; readonly ref: Ref<never> };

/** The name of a service and the type of the messages that its actors take. */
export interface ServiceKey<M> {
  readonly name: string;
  /** Lists an actor until it ends. An actor that is restarted registers anew, at its start. */
  readonly register: (ref: Ref<M>) => ReceptionistMessage;
  /** Takes an actor off the list. */
  readonly deregister: (ref: Ref<M>) => ReceptionistMessage;
  /** For an ask: the reply is the listing. */
  readonly find: (replyTo: Ref<Listing<M>>) => ReceptionistMessage;
  /** Tells `subscriber` the listing at once and at each change, until it ends. */
  readonly subscribe: (subscriber: Ref<Listing<M>>) => ReceptionistMessage;
  readonly unsubscribe: (subscriber: Ref<Listing<M>>) => ReceptionistMessage;
}

/**
 * Makes the key of a service. All keys of one name must have one type of messages: share the key, or on several
 * threads the module that makes it. Its functions throw ACTOR_REF_INVALID for a ref that is no actor.
 */
export function serviceKey<M>(name: string): ServiceKey<M> {
  checked('name', name, TEXT);
  return {
    name,
    register: (ref) => ({ kind: 'register', name, ref: actor(ref) }),
    deregister: (ref) => ({ kind: 'deregister', name, ref: actor(ref) }),
    find: (replyTo) => ({ kind: 'find', name, replyTo }),
    subscribe: (subscriber) => ({ kind: 'subscribe', name, subscriber: actor(subscriber) }),
    unsubscribe: (subscriber) => ({ kind: 'unsubscribe', name, subscriber: actor(subscriber) }),
  };
}

/** The services that an actor offers and follows. */
interface Roles {
  readonly offers: Set<string>;
  readonly follows: Map<string, Ref<Listing<unknown>>>;
}

/**
 * A receptionist knows which actors offer a service. Its messages are plain data and refs, so actors on all threads
 * can use one. It keeps its lists until it ends: after a restart of the receptionist itself, all register and
 * subscribe anew.
 */
export function receptionist(): Behaviour<ReceptionistMessage> {
  return (context) => {
    const known = new WatchedRefs<ReceptionistMessage, Roles>(context, (ref) => ({ kind: 'ended', ref }));
    const services = new Map<string, Service>();
    const serviceOf = (name: string): Service => {
      const service = services.get(name) ?? new Service(name, context);
      services.set(name, service);
      return service;
    };
    const rolesOf = (ref: Ref<never>): Roles => {
      const roles = known.get(ref) ?? { offers: new Set(), follows: new Map() };
      known.set(ref, roles);
      return roles;
    };
    const forgetIfIdle = (ref: Ref<never>, roles: Roles): void => {
      if (roles.offers.size === 0 && roles.follows.size === 0) known.delete(ref);
    };
    const tidy = (service: Service): void => {
      if (service.isEmpty) services.delete(service.name);
    };
    return tolerant(context, (message) => {
      switch (message.kind) {
        case 'register':
          rolesOf(message.ref).offers.add(message.name);
          serviceOf(message.name).add(message.ref);
          return;
        case 'deregister': {
          const roles = known.get(message.ref);
          if (roles?.offers.delete(message.name) !== true) return;
          forgetIfIdle(message.ref, roles);
          const service = serviceOf(message.name);
          service.remove(message.ref);
          tidy(service);
          return;
        }
        case 'find':
          passOn(context, message.replyTo, services.get(message.name)?.listing ?? { name: message.name, refs: [] });
          return;
        case 'subscribe':
          rolesOf(message.subscriber).follows.set(message.name, message.subscriber);
          serviceOf(message.name).subscribe(message.subscriber);
          return;
        case 'unsubscribe': {
          const roles = known.get(message.subscriber);
          if (roles?.follows.delete(message.name) !== true) return;
          forgetIfIdle(message.subscriber, roles);
          const service = serviceOf(message.name);
          service.unsubscribe(message.subscriber);
          tidy(service);
          return;
        }
        case 'ended': {
          const roles = known.get(message.ref);
          known.delete(message.ref);
          // First, so that an actor that has ended is not told that it is off the list.
          for (const [name, subscriber] of roles?.follows ?? []) serviceOf(name).unsubscribe(subscriber);
          for (const name of roles?.offers ?? []) serviceOf(name).remove(message.ref);
          for (const name of [...(roles?.offers ?? []), ...(roles?.follows.keys() ?? [])]) tidy(serviceOf(name));
          return;
        }
        default:
          throw unknownKind(message, 'register', 'deregister', 'find', 'subscribe', 'unsubscribe');
      }
    });
  };
}

/** One service: who offers it, and who is told of changes. */
class Service {
  readonly name: string;
  readonly #desk: Forwarder;
  readonly #refs = new Set<Ref<unknown>>();
  readonly #subscribers = new Set<Ref<Listing<unknown>>>();

  constructor(name: string, desk: Forwarder) {
    this.name = name;
    this.#desk = desk;
  }

  get listing(): Listing<unknown> {
    return { name: this.name, refs: [...this.#refs] };
  }

  get isEmpty(): boolean {
    return this.#refs.size === 0 && this.#subscribers.size === 0;
  }

  add(ref: Ref<never>): void {
    // Only those who have the key send to it, and the key had the ref's type.
    const offered = ref as Ref<unknown>;
    if (this.#refs.has(offered)) return;
    this.#refs.add(offered);
    this.#tellAll();
  }

  remove(ref: Ref<never>): void {
    // As above.
    if (this.#refs.delete(ref as Ref<unknown>)) this.#tellAll();
  }

  subscribe(subscriber: Ref<Listing<unknown>>): void {
    this.#subscribers.add(subscriber);
    passOn(this.#desk, subscriber, this.listing);
  }

  unsubscribe(subscriber: Ref<Listing<unknown>>): void {
    this.#subscribers.delete(subscriber);
  }

  #tellAll(): void {
    for (const subscriber of this.#subscribers) {
      // The notice of its end is on the way.
      if (hasEnded(subscriber)) continue;
      // Each has a listing of its own, because a message belongs to its receiver.
      passOn(this.#desk, subscriber, this.listing);
    }
  }
}

function hasEnded(subscriber: Ref<never>): boolean {
  const { state } = addresseeOf(subscriber);
  return state === 'stopping' || state === 'stopped';
}

/** Refuses a ref at whoever sends it: the receptionist could not watch it. */
function actor<M>(ref: Ref<M>): Ref<M> {
  addresseeOf(ref);
  return ref;
}
