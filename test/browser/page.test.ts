/** The page as a person uses it, from a static server that is gone once the page is open. */
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { buildPage } from '../../bench/browser/build.ts';
import { serveFolder } from '../../bench/browser/serve.ts';
import { checkpointInfo } from '../../src/train/checkpoint.ts';
import { launchChromium } from './chromium.ts';
import { LAUNCH } from './launch.ts';
import { Person, PURCHASES } from './person.ts';

let folder: string;
let server: Server;
let address: string;
let browser: Browser;
let person: Person;
let page: Page;
const requests: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'page-'));
  await buildPage(join(folder, 'page'));
  server = serveFolder(join(folder, 'page'));
  await once(server.listen(0, 'localhost'), 'listening');
  address = `http://localhost:${(server.address() as AddressInfo).port}/`;
  browser = await launchChromium();
  person = await Person.at(browser, folder);
  page = person.page;
  page.on('request', (request) => requests.push(request.url()));
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** Opens the page, waits until all of it has come, and cuts it off from its server. */
async function openAndCut(): Promise<void> {
  await page.goto(address, { waitUntil: 'networkidle0' });
  await person.sees('#adapter', 'software adapter');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

let answer: string[];
let checkpoint: Uint8Array<ArrayBuffer>;

it('trains on a dropped file, without a network, pauses and goes on', async () => {
  await openAndCut();
  await person.drop('purchases.csv', PURCHASES);
  await person.sees('#data-facts', '720 interactions of 60 users with 80 items, 60 users tested');
  await person.choose({ epochs: '10', 'batch-size': '64', lr: '0.01' });
  await page.click('#start');
  await person.sees('#status', 'Epoch 2 of 10');
  await page.click('#pause');
  await person.sees('#status', 'Paused');
  const epoch = await person.textOf('#now-epoch');
  expect(epoch).not.toBe('10 of 10');
  answer = await person.ask('user 7'); // a model can be asked before it has learnt all
  await page.click('#resume');
  await person.sees('#status', 'All epochs are done');
  expect(await person.textOf('#now-epoch')).toBe('10 of 10');
  expect(Number(await person.textOf('#now-hr'))).toBeGreaterThan(0.5); // chance has 10 of 69
});

it('draws a chart in every figure that is shown, and no two things have one id', async () => {
  const drawn = await page.$$eval('#charts figure:not([hidden])', (figures) =>
    figures.map((figure) => [
      figure.querySelector('figcaption')!.firstChild!.textContent,
      figure.querySelectorAll('canvas').length,
    ]),
  );
  expect(drawn).toEqual([
    ['Training loss ', 1],
    ['Ranking of held-out items ', 1],
  ]);
  const ids = await page.$$eval('[id]', (elements) => elements.map(({ id }) => id));
  expect(ids).toEqual([...new Set(ids)]);
});

it('answers with unseen items of the user’s taste, whose ids are text and no markup', async () => {
  const before = answer;
  answer = await person.ask('user 7');
  expect(answer).not.toEqual(before);
  expect(answer).toHaveLength(10);
  // Four of the taste's items are unseen, among 68.
  const ofTaste = answer.filter((row) => Number(row.match(/\d+/)![0]) % 5 === 2);
  expect(ofTaste.length).toBeGreaterThanOrEqual(3);
  expect(await page.$$('#user-answer b')).toHaveLength(0);
  await person.choose({ item: '<b>7</b>' });
  await page.click('#ask-item [type=submit]');
  await person.sees('#item-answer caption', 'like <b>7</b>');
  await person.choose({ taste: '<b>6</b>' });
  await page.click('#add-taste');
  await person.sees('#tastes', '<b>6</b>');
  await page.click('#ask-taste');
  await person.sees('#taste-answer caption', 'for somebody who took these');
  await person.choose({ user: 'nobody' });
  await page.click('#ask-user [type=submit]');
  await person.sees('#trouble', 'no user "nobody"; it knows 60 users, such as "user 0"');
});

it('gives the checkpoint and the recommendations of all users', async () => {
  checkpoint = await person.downloaded('#save', 'checkpoint.safetensors');
  const { settings, history } = checkpointInfo(checkpoint, 'checkpoint.safetensors');
  expect(settings).toMatchObject({ preset: 'paper-8', batchSize: 64, lr: 0.01 });
  expect(history).toHaveLength(10);
  const csv = new TextDecoder().decode(await person.downloaded('#csv', 'recommendations.csv'));
  expect(csv.split('\n').length - 2).toBe(60 * 10);
  expect(csv).toMatch(/^user,rank,item,name,score\nuser 0,1,/);
  expect(csv).toContain("'=0");
  expect(csv).not.toMatch(/,=/);
});

it('after a reload gives the same answer from the checkpoint', async () => {
  await once(server.listen(Number(new URL(address).port), 'localhost'), 'listening');
  await openAndCut();
  await person.drop('checkpoint.safetensors', checkpoint);
  await person.sees('#status', 'checkpoint.safetensors is loaded and can be asked');
  await person.ask('user 7');
  await person.sees('#user-answer', 'these may have been taken already');
  await person.drop('purchases.csv', PURCHASES);
  await person.sees('#data-facts', '720 interactions');
  await person.drop('checkpoint.safetensors', checkpoint);
  await person.sees('#status', 'All epochs are done');
  expect(await person.ask('user 7')).toEqual(answer);
  await person.drop('purchases.csv', new TextEncoder().encode('user,item,timestamp\na,b,yesterday\n'));
  await person.sees('#trouble', 'purchases.csv:2:');
});

it('chooses the best epoch on validation items and ends when patience does, by settings that are checked as everywhere', async () => {
  await person.drop('purchases.csv', PURCHASES);
  await person.sees('#status', 'The data is read');
  await page.click('#more summary');
  await person.choose({ epochs: '30', 'batch-size': '64', lr: '0.01', 'mlp-layers': '16,none', patience: '2' });
  await page.click('#start');
  await person.sees('#trouble', 'This does not work as it is');
  await person.choose({ 'mlp-layers': '16,8', 'gmf-dim': '4', 'mlp-dim': '8', optimizer: 'sgd', momentum: '0.9' });
  await page.click('#start');
  await person.sees('#trouble', 'validation would be right');
  await page.click('#validation');
  await page.click('#start');
  await person.sees('#status', 'All epochs are done');
  expect(await person.textOf('#notes')).toMatch(
    /Epoch \d+ was the best on the validation items.* on the test items HR@10 0?\.\d+/,
  );
  expect(Number((await person.textOf('#now-epoch')).split(' ')[0])).toBeLessThan(30);
  const { settings } = checkpointInfo(await person.downloaded('#save', 'checkpoint.safetensors'), 'the checkpoint');
  expect(settings).toMatchObject({
    validation: true,
    patience: 2,
    mlpLayers: [16, 8],
    optimizer: 'sgd',
    momentum: 0.9,
  });
  await page.click('#validation');
  await person.choose({
    'mlp-layers': '32,16,8',
    'gmf-dim': '8',
    'mlp-dim': '32',
    optimizer: 'adam',
    momentum: '0',
    patience: '0',
  });
});

it('goes on from the last kept state when the device is lost', async () => {
  await person.drop('purchases.csv', PURCHASES);
  await person.sees('#status', 'The data is read');
  await person.choose({ epochs: '10', 'batch-size': '64', lr: '0.01' });
  await page.click('#start');
  await person.sees('#status', 'Epoch 2 of 10');
  const engine = page.workers().find((worker) => worker.url().endsWith('/worker.js'))!;
  await engine.evaluate(() => {
    const { createCommandEncoder } = GPUDevice.prototype;
    GPUDevice.prototype.createCommandEncoder = function (descriptor) {
      GPUDevice.prototype.createCommandEncoder = createCommandEncoder;
      this.destroy();
      return createCommandEncoder.call(this, descriptor);
    };
  });
  await person.sees('#notes', 'training went on from step');
  await person.sees('#status', 'All epochs are done');
  expect(await person.ask('user 7')).toEqual(answer); // as if nothing had been lost
});

it('shows one pair’s way through the network, the map of the items and the kernels’ times', async () => {
  await page.click('#ask-pair [type=submit]');
  await person.sees('#pair-answer', 'The output layer adds');
  const [, ...terms] = (await person.textOf('#pair-answer')).match(
    /(−?[\d.]+) \+ (−?[\d.]+) \+ bias (−?[\d.]+) = logit (−?[\d.]+); σ\(logit\) = ([\d.]+)/,
  )!;
  const [gmf, mlp, bias, logit, score] = terms.map((term) => Number(term.replace('−', '-')));
  expect(gmf + mlp + bias).toBeCloseTo(logit, 3);
  expect(score).toBeCloseTo(Number(answer[0].match(/[\d.]+$/)![0]), 3); // the pair is the user's best item
  await page.click('#draw-map');
  await person.sees('#map-status', '80 items; UMAP.');
  expect(await page.$$('#map circle')).toHaveLength(80);
  expect(await page.$$('#map .recommended')).toHaveLength(10);
  expect(await page.$$('#map .taken')).toHaveLength(12);
  await page.click('#time-kernels');
  await person.sees('#kernels', 'each timed in a pass of its own');
  expect(await person.textOf('#kernels')).toContain('sample_batch');
  expect(await person.ask('user 7')).toEqual(answer); // timing trains, and puts the model back
});

it('says in which step training left the numbers, and whose samples were in it', async () => {
  await person.choose({ epochs: '2', 'batch-size': '64', lr: '1e30' });
  await page.click('#start');
  await person.sees('#trouble', 'the loss became NaN in epoch 1 at step');
  expect(await person.textOf('#trouble')).toMatch(
    /, at a learning rate of 1e\+30; its batch: 64 samples of \d+ users \("user \d+", .*, …\) with \d+ items \(.*, …\); there was no good state yet/,
  );
  expect(await page.$$('#trouble b'), 'ids are text').toHaveLength(0);
});

it('says that the GPU has too little memory, and trains when there is enough', async () => {
  const engine = page.workers().find((worker) => worker.url().endsWith('/worker.js'))!;
  await engine.evaluate(() => {
    const { createBuffer } = GPUDevice.prototype;
    GPUDevice.prototype.createBuffer = function (descriptor) {
      if (descriptor.label !== 'weights') return createBuffer.call(this, descriptor);
      GPUDevice.prototype.createBuffer = createBuffer;
      return createBuffer.call(this, { ...descriptor, size: 2 ** 30 }); // SwiftShader has no piece of so many bytes
    };
  });
  await person.choose({ epochs: '2', 'batch-size': '64', lr: '0.01' });
  await page.click('#start');
  await person.sees('#trouble', 'The GPU has too little memory for this');
  expect(await person.textOf('#trouble')).toMatch(
    /the GPU is out of memory: .+; the model and its optimizer need \d.+Close other tabs, or take a smaller preset/,
  );
  await page.click('#start');
  await person.sees('#now-epoch', '2 of 2');
  expect(await page.$eval('#trouble', (box) => (box as HTMLElement).hidden)).toBe(true);
});

it('says which browsers have WebGPU where there is none', async () => {
  const without = join(folder, 'without');
  cpSync(join(folder, 'page'), without, { recursive: true });
  const worker = readFileSync(join(without, 'worker.js'), 'utf8');
  writeFileSync(join(without, 'worker.js'), `Object.defineProperty(navigator, 'gpu', { value: undefined });${worker}`);
  const other = serveFolder(without);
  await once(other.listen(0, 'localhost'), 'listening');
  await page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
  await person.sees('#trouble', 'this browser has no WebGPU');
  expect(await person.textOf('#trouble')).toContain('chrome://flags');
  other.closeAllConnections();
  other.close();
});

it('asks no other host for anything, and logs no error', () => {
  const others = requests.filter((url) => !url.startsWith('http://localhost:') && !/^(data|blob):/.test(url));
  expect(others).toEqual([]);
  expect(person.errors).toEqual([]);
});

it.each(inject('browsers').filter((name) => name !== 'chromium'))('has the same story in %s', async (name) => {
  const site = serveFolder(join(folder, 'page'));
  await once(site.listen(0, 'localhost'), 'listening');
  const other = await LAUNCH[name]();
  try {
    const visitor = await Person.at(other, folder);
    const open = () => visitor.page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
    await open();
    await visitor.drop('purchases.csv', PURCHASES);
    await visitor.sees('#status', 'The data is read');
    await visitor.choose({ epochs: '10', 'batch-size': '64', lr: '0.01' });
    await visitor.page.click('#start');
    await visitor.sees('#status', 'All epochs are done');
    const before = await visitor.ask('user 7');
    const items = (rows: readonly string[]) => rows.map((row) => row.match(/<b>\d+<\/b>/)![0]);
    expect(items(before).slice(0, 3)).toEqual(items(answer).slice(0, 3)); // as Chromium has it, on another adapter
    const saved = await visitor.downloaded('#save', 'checkpoint.safetensors');
    await open();
    await visitor.drop('purchases.csv', PURCHASES);
    await visitor.sees('#status', 'The data is read');
    await visitor.drop('checkpoint.safetensors', saved);
    await visitor.sees('#status', 'All epochs are done');
    expect(await visitor.ask('user 7')).toEqual(before);
    expect(visitor.errors).toEqual([]);
  } finally {
    await other.close();
    site.closeAllConnections();
    site.close();
  }
});
