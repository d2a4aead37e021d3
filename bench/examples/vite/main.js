// npx vite: the same page, bundled; what this program does not use stays out.
import { blobSource, Gpu, loadDataset, Recommender, Trainer } from 'neumf-webgpu';

const [user, file, output] = ['user', 'file', 'output'].map((id) => document.getElementById(id));
file.onchange = async () => {
  const gpu = await Gpu.open();
  const data = await loadDataset(blobSource(file.files[0], file.files[0].name));
  const trainer = await Trainer.create(gpu, data.split, { preset: 'paper-8', batchSize: 1024, epochs: 4, seed: 7 });
  for await (const { epoch, loss } of trainer) output.append(`epoch ${epoch}, loss ${loss.toFixed(4)}\n`);
  const best = await Recommender.of(trainer, data).recommend(user.value, { k: 5 });
  output.append(`${best.map(({ item }) => item).join(' ')}\n`);
  gpu.close();
};
