import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readTitles } from '../../src/data/titles.ts';
import { DataError } from '../../src/errors.ts';
import { source } from './sources.ts';

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

it.each<[string, string | Uint8Array, [string, string][]]>([
  [
    'movies.csv',
    'movieId,title,genres\r\n1,Toy Story (1995),Adventure|Animation\r\n2,"American President, The (1995)",Comedy\r\n',
    [
      ['1', 'Toy Story (1995)'],
      ['2', 'American President, The (1995)'],
    ],
  ],
  [
    'u.item',
    latin1('1|Toy Story (1995)|01-Jan-1995||http://x|0|0\n2|Cité des enfants perdus, La (1995)|x||y|1|0\n'),
    [
      ['1', 'Toy Story (1995)'],
      ['2', 'Cité des enfants perdus, La (1995)'],
    ],
  ],
  [
    'movies.dat',
    '1::Jumanji (1995)::Adventure|Fantasy\n9::Heat::Action\n',
    [
      ['1', 'Jumanji (1995)'],
      ['9', 'Heat'],
    ],
  ],
  ['items.tsv', 'item\tcode\tname\n0\t10002\tGLOBE, INFLATABLE\n', [['0', 'GLOBE, INFLATABLE']]],
  ['items.tsv.gz', gzipSync('item\tmovie_id\ttitle\n0\t1193\tCuckoo’s Nest\n'), [['0', 'Cuckoo’s Nest']]],
  [
    'names.csv',
    '=A1,Formula\n=A1,again\n\n b , trimmed \n',
    [
      ['=A1', 'Formula'],
      ['b', 'trimmed'],
    ],
  ],
])('reads the titles of %s', async (name, content, titles) => {
  expect([...(await readTitles(source(name, content)))]).toEqual(titles);
});

it.each([
  ['an empty file', '\n \n', 'f: the file is empty'],
  ['one column', 'item\n1\n', /^f: no column for the items’ title \(title, name, .*\); the columns are item$/],
  ['a file of empty quotes', '""\n', 'f: the file is empty'],
  ['a title that is not quoted', 'id,title\n2,Heat, The\n', 'f:2: 3 columns, but the first row has 2: "2,Heat, The"'],
  ['a row that ends too soon', 'id,title\n1,One\n2\n', 'f:3: 1 column, but the title is column 2'],
])('refuses %s', async (_, content, message) => {
  const read = readTitles(source('f', content));
  await expect(read).rejects.toThrow(DataError);
  await expect(read).rejects.toThrow(message);
});
