// node script.js interactions.csv USER: trains on the file and prints the user's five best items.
import { fileSource, Gpu, loadDataset, Recommender, Trainer } from 'neumf-webgpu';

const [file, user] = process.argv.slice(2);
const gpu = await Gpu.open();
const data = await loadDataset(fileSource(file));
const trainer = await Trainer.create(gpu, data.split, { preset: 'paper-8', batchSize: 1024, epochs: 4, seed: 7 });
for await (const { epoch, loss } of trainer) console.log(`epoch ${epoch}, loss ${loss.toFixed(4)}`);
const best = await Recommender.of(trainer, data).recommend(user, { k: 5 });
console.log(best.map(({ item }) => item).join(' '));
gpu.close();
