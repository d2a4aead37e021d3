/** What a person does with the page and sees of it, in any browser. */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';

/** 60 users of 5 tastes, 12 of a taste's 16 items each; a spreadsheet would take the first item for a formula. */
const ROWS = Array.from({ length: 60 }, (_, user) =>
  Array.from({ length: 12 }, (_, place) => {
    const item = (user % 5) + 5 * ((7 * user + 3 * place) % 16);
    return `user ${user},${item === 0 ? '=0' : `<b>${item}</b>`},${place}`;
  }),
).flat();
export const PURCHASES = new TextEncoder().encode(`user,item,timestamp\n${ROWS.join('\n')}\n`);

export class Person {
  readonly page: Page;
  /** What the page threw or logged as an error. */
  readonly errors: string[] = [];
  readonly #folder: string;

  /** @param folder where files come that the page gives */
  static async at(browser: Browser, folder: string): Promise<Person> {
    const context = await browser.createBrowserContext({
      downloadBehavior: { policy: 'allow', downloadPath: folder },
    });
    return new Person(await context.newPage(), folder);
  }

  private constructor(page: Page, folder: string) {
    this.page = page;
    this.#folder = folder;
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.errors.push(message.text()));
  }

  /** Waits until an element says so. */
  async sees(selector: string, text: string): Promise<void> {
    const said = (at: string, what: string) => document.querySelector(at)?.textContent?.includes(what) ?? false;
    // At every change: what is said only for a moment would be gone at the next look.
    await this.page.waitForFunction(said, { timeout: 60_000, polling: 'mutation' }, selector, text).catch(async () => {
      const [present, trouble] = [await this.textOf(selector), await this.textOf('#trouble')];
      throw new Error(`${selector} says "${present}", not "${text}"; trouble: ${trouble}; ${this.errors}`);
    });
  }

  textOf(selector: string): Promise<string> {
    return this.page.$eval(selector, (element) => element.textContent ?? '');
  }

  /** Drops a file onto the page. */
  async drop(name: string, bytes: Uint8Array): Promise<void> {
    await this.page.evaluate(
      (called, content) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([Uint8Array.from(content)], called));
        document.getElementById('drop')!.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
      },
      name,
      [...bytes],
    );
  }

  /** Fills fields, by their ids. */
  async choose(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [id, value] of Object.entries(values)) {
      await this.page.$eval(`#${id}`, (field, to) => ((field as HTMLInputElement).value = to), value);
    }
  }

  /** What the page answers a user: items and scores. */
  async ask(user: string): Promise<string[]> {
    await this.choose({ user });
    await this.page.$eval('#user-answer', (before) => before.replaceChildren()); // its caption may be the same
    await this.page.click('#ask-user [type=submit]');
    await this.sees('#user-answer caption', `for user ${user}`);
    return this.page.$$eval('#user-answer tbody tr', (rows) => rows.map((row) => row.textContent ?? ''));
  }

  /** A file that the page gives, once all of it is there. */
  async downloaded(button: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
    const file = join(this.#folder, name);
    rmSync(file, { force: true });
    await this.page.click(button);
    // Firefox writes into another file beside an empty one of that name.
    const complete = () => existsSync(file) && statSync(file).size > 0;
    for (let tries = 0; !complete() && tries < 200; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    return new Uint8Array(readFileSync(file));
  }
}
