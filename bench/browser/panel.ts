import type { Neighbour, Recommendation } from '../../src/recommend/types.ts';
import { byId, make } from './dom.ts';
import type { EngineClient } from './engine.ts';
import type { Named, UserAnswer } from './protocol.ts';
import { attempt } from './trouble.ts';

/** Whom the page shows recommendations of. */
export interface Asked extends UserAnswer {
  readonly user: string;
}

/** Items that a list of what somebody took shows at once. */
const MOST_SHOWN = 200;

/** The questions: a user’s recommendations, an item’s neighbours, a new visitor’s taste. */
export class Panel {
  readonly #engine: EngineClient;
  readonly #onUser: (asked: Asked) => void;
  readonly #tastes = new Map<string, Named>();

  /** @param onUser is told whom was asked for and what came of it */
  constructor(engine: EngineClient, onUser: (asked: Asked) => void) {
    this.#engine = engine;
    this.#onUser = onUser;
    this.#offer('user', 'users-found', ['user', 'pair-user']);
    this.#offer('item', 'items-found', ['item', 'taste', 'pair-item']);
    onSubmit('ask-user', () => this.askUser(value('user')));
    onSubmit('ask-item', () => this.#askItem());
    onSubmit('ask-newcomer', () => this.#askNewcomer());
    button('any-user').addEventListener('click', () =>
      attempt(button('any-user'), async () => this.askUser(await engine.call('anyUser'))),
    );
    button('add-taste').addEventListener('click', () => this.#addTaste());
    byId('taste', HTMLInputElement).addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault(); // Enter adds; only the button asks
      this.#addTaste();
    });
  }

  async askUser(user: string): Promise<void> {
    byId('user', HTMLInputElement).value = user;
    const answer = await this.#engine.call('recommend', user);
    const { history, recommendations } = answer;
    byId('user-answer', HTMLElement).replaceChildren(
      recommendationsTable(`for user ${user}`, recommendations),
      history
        ? historyList(history)
        : make('p', 'No data is loaded, so these may have been taken already.', { class: 'note' }),
    );
    this.#onUser({ user, ...answer });
  }

  clear(): void {
    for (const id of ['user-answer', 'item-answer', 'taste-answer']) byId(id, HTMLElement).replaceChildren();
    this.#tastes.clear();
    this.#showTastes();
  }

  async #askItem(): Promise<void> {
    const item = await this.#itemOf(value('item'));
    byId('item-answer', HTMLElement).replaceChildren(
      neighboursTable(item, await this.#engine.call('similar', item.id)),
    );
  }

  async #askNewcomer(): Promise<void> {
    const { source, recommendations } = await this.#engine.call('newcomer', [...this.#tastes.keys()]);
    const about = source === 'model' ? 'for somebody who took these' : 'the most popular items';
    byId('taste-answer', HTMLElement).replaceChildren(recommendationsTable(about, recommendations));
  }

  async #addTaste(): Promise<void> {
    await attempt(button('add-taste'), async () => {
      const text = value('taste');
      if (text === '') return;
      const item = await this.#itemOf(text);
      this.#tastes.set(item.id, item);
      byId('taste', HTMLInputElement).value = '';
      this.#showTastes();
    });
  }

  #showTastes(): void {
    const entries = [...this.#tastes.values()].map((item) => {
      const remove = make('button', `${titleOf(item)} ×`, {
        type: 'button',
        'aria-label': `take out ${titleOf(item)}`,
      });
      remove.addEventListener('click', () => {
        this.#tastes.delete(item.id);
        this.#showTastes();
        byId('taste', HTMLElement).focus();
      });
      return make('li', [remove]);
    });
    byId('tastes', HTMLElement).replaceChildren(...entries);
    button('ask-taste').disabled = this.#tastes.size === 0;
  }

  /** The item of that id, or the first whose title has the text; else as it was typed, which the engine refuses. */
  async #itemOf(text: string): Promise<Named> {
    const found = await this.#engine.call('find', 'item', text);
    const [first] = found;
    return first && (first.id === text || first.name !== undefined) ? first : { id: text };
  }

  /** Offers ids for what is typed. */
  #offer(kind: 'user' | 'item', list: string, inputs: readonly string[]): void {
    for (const id of inputs) {
      const input = byId(id, HTMLInputElement);
      input.addEventListener('input', async () => {
        const typed = input.value;
        const found = await this.#engine.call('find', kind, typed.trim()).catch(() => []);
        if (input.value !== typed) return; // a later one is on its way
        const options = found.map((one) => make('option', one.name ?? [], { value: one.id }));
        byId(list, HTMLDataListElement).replaceChildren(...options);
      });
    }
  }
}

export const titleOf = ({ id, name }: Named): string => name ?? id;

const button = (id: string) => byId(id, HTMLButtonElement);
export const value = (id: string): string => byId(id, HTMLInputElement).value.trim();

/** Runs what a form asks for, and shows what is wrong where that fails. */
export function onSubmit(id: string, ask: () => Promise<void>): void {
  byId(id, HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(event.submitter as HTMLButtonElement | null, ask);
  });
}

function recommendationsTable(about: string, list: readonly Recommendation[]): HTMLTableElement {
  const rows = list.map(
    ({ item, name, score }) => [named({ id: item, ...(name ? { name } : {}) }), score.toFixed(4)] as const,
  );
  return table(about, ['Item', 'Score'], rows);
}

function neighboursTable(item: Named, list: readonly Neighbour[]): HTMLTableElement {
  const rows = list.map((one) => [named(one), one.cosine.toFixed(4)] as const);
  return table(`like ${titleOf(item)}`, ['Item', 'Cosine'], rows);
}

/** An item that leads to the items alike. */
function named(item: Named): HTMLElement {
  const link = make('button', titleOf(item), { type: 'button', title: `items like ${item.id}` });
  link.addEventListener('click', () => {
    byId('item', HTMLInputElement).value = item.id;
    byId('ask-item', HTMLFormElement).requestSubmit();
  });
  return link;
}

function table(about: string, heads: readonly string[], rows: readonly (readonly [Node, string])[]): HTMLTableElement {
  const head = make(
    'tr',
    heads.map((name) => make('th', name, { scope: 'col' })),
  );
  const body = rows.map(([item, figure]) => make('tr', [make('td', [item]), make('td', figure)]));
  const parts = [make('caption', about), make('thead', [head]), make('tbody', body)];
  return make('table', parts, { class: 'answer' });
}

function historyList(history: NonNullable<UserAnswer['history']>): HTMLElement {
  const shown = history.slice(-MOST_SHOWN).map((item) => `${titleOf(item)}${item.heldOut ? ' (held out)' : ''}`);
  const before = history.length > shown.length ? `the last ${shown.length}: ` : '';
  const summary = make('summary', `took ${history.length} item${history.length === 1 ? '' : 's'}`);
  return make('details', [summary, make('p', before + shown.join(', '), { class: 'note' })]);
}
