/** An item's place in a list. Whoever holds it can take the item out in constant time. */
export interface ListNode<T> {
  readonly item: T;
  next: ListNode<T> | undefined;
  previous: ListNode<T> | undefined;
  /** Undefined once the item has been taken out. */
  list: LinkedList<T> | undefined;
}

/** A queue whose items may leave from any place, such as requests that expire while they wait. */
export class LinkedList<T> {
  #first: ListNode<T> | undefined;
  #last: ListNode<T> | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get head(): ListNode<T> | undefined {
    return this.#first;
  }

  get first(): T | undefined {
    return this.#first?.item;
  }

  push(item: T): ListNode<T> {
    const node: ListNode<T> = { item, next: undefined, previous: this.#last, list: this };
    if (this.#last === undefined) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#length += 1;
    return node;
  }

  /** Puts an item before all others. */
  unshift(item: T): ListNode<T> {
    const node: ListNode<T> = { item, next: this.#first, previous: undefined, list: this };
    if (this.#first === undefined) this.#last = node;
    else this.#first.previous = node;
    this.#first = node;
    this.#length += 1;
    return node;
  }

  /** Taking an item out twice does nothing. */
  remove(node: ListNode<T>): void {
    if (node.list !== this) return;
    if (node.previous === undefined) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.list = undefined;
    node.next = undefined;
    node.previous = undefined;
    this.#length -= 1;
  }

  shift(): T | undefined {
    const node = this.#first;
    if (node === undefined) return undefined;
    this.remove(node);
    return node.item;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let node = this.#first; node !== undefined; node = node.next) yield node.item;
  }
}
