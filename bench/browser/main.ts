/** The page: what a person does, and what comes of it. The engine runs in a worker. */
import { formatCount } from '../report/format.ts';
import { byId, download } from './dom.ts';
import { EngineClient } from './engine.ts';
import { KernelsView } from './kernels-view.ts';
import { MapView } from './map-view.ts';
import { PairView } from './pair-view.ts';
import { Panel } from './panel.ts';
import type { DataFacts, RunState } from './protocol.ts';
import { fillSettings, readSettings } from './settings-form.ts';
import { say, TrainingView } from './training.ts';
import { attempt, showTrouble } from './trouble.ts';

const button = (id: string) => byId(id, HTMLButtonElement);
const files = (id: string) => byId(id, HTMLInputElement);

let hasData = false;
const view = new TrainingView(showState);
const engine = new EngineClient((told) => view.hear(told));
const map = new MapView(engine);
const pair = new PairView(engine);
const kernels = new KernelsView(engine);
const panel = new Panel(engine, (asked) => {
  map.mark(asked);
  pair.propose(asked);
});

fillSettings();
void openAdapter();
listenToData();
listenToRun();
listenToKeeping();
document.documentElement.dataset.ready = 'true';

async function openAdapter(): Promise<void> {
  const line = byId('adapter', HTMLElement);
  try {
    const { name, kind, hint } = await engine.call('open');
    line.textContent =
      kind === 'hardware'
        ? `GPU: ${name}`
        : `${name} is a software adapter: it runs on the CPU, so this is slow; ${hint}.`;
    line.classList.toggle('alarm', kind === 'software');
  } catch (error) {
    line.textContent = 'No GPU.';
    showTrouble(error as Error);
  }
}

function listenToData(): void {
  // Fetched as the page opens, so that it is there when the network is not.
  const bundled = fetch('online-retail.tsv.gz').then((response) => {
    if (response.ok) return response.blob();
    throw new Error(`online-retail.tsv.gz: the server answered ${response.status}`);
  });
  bundled.catch(() => {}); // whoever asks for it is told
  button('bundled').addEventListener('click', () =>
    attempt(button('bundled'), async () => load([new File([await bundled], 'online-retail.tsv.gz')])),
  );
  files('file').addEventListener('change', () => void attempt(null, () => load([...(files('file').files ?? [])])));
  files('titles').addEventListener('change', () =>
    attempt(null, async () => {
      const [file] = files('titles').files ?? [];
      if (file) showData(await engine.call('titles', file));
    }),
  );
  const drop = byId('drop', HTMLElement);
  // Beside the field too: a browser would leave the page for a dropped file.
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  document.addEventListener('dragleave', () => drop.classList.remove('over'));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    const dropped = [...(event.dataTransfer?.files ?? [])];
    const [first] = dropped;
    if (first?.name.endsWith('.safetensors')) void attempt(null, () => restore(first));
    else void attempt(null, () => load(dropped));
  });
}

async function load(chosen: readonly File[]): Promise<void> {
  if (chosen.length === 0) return;
  say(`Reading ${chosen.map(({ name }) => name).join(', ')} …`);
  try {
    showData(await engine.call('load', chosen));
  } catch (error) {
    say('');
    throw error;
  }
  clearAnswers();
  showState(null);
  say('The data is read. Start training, or load a checkpoint.');
}

function showData({ name, users, items, interactions, testedUsers, titles }: DataFacts): void {
  const facts = byId('data-facts', HTMLElement);
  const named = titles > 0 ? `; ${formatCount(titles)} items have titles` : '';
  facts.textContent = `${name}: ${formatCount(interactions)} interactions of ${formatCount(users)} users with ${formatCount(items)} items, ${formatCount(testedUsers)} users tested${named}`;
  facts.hidden = false;
  byId('titles-row', HTMLElement).hidden = false;
  hasData = true;
}

function listenToRun(): void {
  byId('settings', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(button('start'), async () => {
      say('Building the model and compiling its kernels …');
      clearAnswers();
      try {
        await engine.call('start', readSettings());
        // On a narrow screen the run stands below the form.
        if (matchMedia('(max-width: 56rem)').matches) byId('training', HTMLElement).scrollIntoView();
      } catch (error) {
        say('');
        showState(null);
        throw error;
      }
    });
  });
  for (const method of ['pause', 'resume', 'stop'] as const) {
    button(method).addEventListener('click', () => attempt(button(method), () => engine.call(method)));
  }
}

function listenToKeeping(): void {
  button('save').addEventListener('click', () =>
    attempt(button('save'), async () => download(await engine.call('save'), 'checkpoint.safetensors')),
  );
  button('csv').addEventListener('click', () =>
    attempt(button('csv'), async () => download(await engine.call('csv'), 'recommendations.csv')),
  );
  files('checkpoint').addEventListener('change', () =>
    attempt(null, async () => {
      const [file] = files('checkpoint').files ?? [];
      if (file) await restore(file);
    }),
  );
}

async function restore(file: File): Promise<void> {
  say(`Reading ${file.name} …`);
  clearAnswers();
  try {
    const { canTrain } = await engine.call('restore', file);
    if (canTrain) return;
  } catch (error) {
    say('');
    throw error;
  }
  byId('training', HTMLElement).hidden = true;
  showState('stopped');
  for (const id of ['save', 'time-kernels']) button(id).disabled = true;
  say(`${file.name} is loaded and can be asked; to train on, load its data and then the checkpoint again.`);
}

/** Forgets what was answered, as another model comes. */
function clearAnswers(): void {
  for (const view of [panel, map, pair, kernels]) view.clear();
}

/** Offers what can be done in a state; null where there is no model. */
function showState(state: RunState | null): void {
  const focused = document.activeElement;
  const under = state === 'training' || state === 'paused';
  button('start').disabled = under || !hasData;
  button('pause').hidden = state !== 'training';
  button('resume').hidden = state !== 'paused';
  button('stop').hidden = !under;
  for (const id of ['save', 'csv', 'time-kernels']) button(id).disabled = state === null;
  for (const id of ['ask', 'inside']) byId(id, HTMLElement).hidden = state === null;
  if (state === null) byId('training', HTMLElement).hidden = true;
  // Whoever had a button that is gone gets the one that stands for it.
  const controls = ['pause', 'resume', 'start'].map(button);
  const gone = focused instanceof HTMLButtonElement && (focused.hidden || focused.disabled);
  if (gone) controls.find(({ hidden, disabled }) => !hidden && !disabled)?.focus();
}
