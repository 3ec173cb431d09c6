// For the tests: as much of a document as drawing needs. It keeps every element and every
// attribute or property that was set on one, so that a test can look through them.

export class FakeNode {
  readonly childNodes: FakeNode[] = [];
  parentNode: FakeNode | null = null;
  readonly nodeType: number = 3;
  readonly ownerDocument = fakeDocument;
  data: string;

  constructor(data = "") {
    this.data = data;
  }

  get firstChild(): FakeNode | null {
    return this.childNodes[0] ?? null;
  }

  get nextSibling(): FakeNode | null {
    const among = this.parentNode?.childNodes ?? [];
    return among[among.indexOf(this) + 1] ?? null;
  }

  insertBefore(child: FakeNode, before: FakeNode | null): FakeNode {
    child.remove();
    const at = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    this.childNodes.splice(at, 0, child);
    child.parentNode = this;
    return child;
  }

  remove(): void {
    const among = this.parentNode?.childNodes;
    among?.splice(among.indexOf(this), 1);
    this.parentNode = null;
  }

  /** All that is to be read. */
  get textContent(): string {
    return this.data + this.childNodes.map((child) => child.textContent).join("");
  }
}

export class FakeElement extends FakeNode {
  override readonly nodeType = 1;
  readonly localName: string;
  readonly namespaceURI: string;
  readonly set = new Map<string, unknown>();
  readonly children: FakeElement[] = [];

  constructor(name: string, namespace = "http://www.w3.org/1999/xhtml") {
    super();
    this.localName = name;
    this.namespaceURI = namespace;
  }

  setAttribute(name: string, value: unknown): void {
    this.set.set(name, String(value));
  }

  removeAttribute(name: string): void {
    this.set.delete(name);
  }

  addEventListener(): void {}
  removeEventListener(): void {}
  querySelector(): null {
    return null;
  }
  contains(): boolean {
    return false;
  }
  focus(): void {}

  /** This element and all within it. */
  *all(): Generator<FakeElement> {
    yield this;
    for (const child of this.childNodes) if (child instanceof FakeElement) yield* child.all();
  }
}

const fakeDocument = {
  createElementNS: (namespace: string, name: string) => new FakeElement(name, namespace),
  createTextNode: (data: unknown) => new FakeNode(String(data)),
};
