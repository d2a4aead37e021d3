import { describe, expect, it } from 'vitest';
import type { Columns } from '../../src/data/columns.ts';
import { type DelimitedOptions, readInteractions } from '../../src/data/delimited.ts';
import { ConfigError, DataError } from '../../src/errors.ts';
import { rowsOf, source } from './sources.ts';

const read = async (text: string, options?: DelimitedOptions) =>
  rowsOf(await readInteractions(source('data.csv', text), options));

/** What three purchases look like, whatever file they come from. */
const THREE = ['ann tea 30', 'bob tea 20', 'ann jam 10'];

describe('the same three interactions are read from', () => {
  it.each([
    ['ratings.dat of MovieLens', 'ann::tea::5::30\nbob::tea::4::20\nann::jam::3::10\n'],
    ['u.data of MovieLens', 'ann\ttea\t5\t30\nbob\ttea\t4\t20\nann\tjam\t3\t10\n'],
    [
      'ratings.csv of MovieLens',
      'userId,movieId,rating,timestamp\r\nann,tea,4.0,30\r\nbob,tea,4,20\r\nann,jam,1,10\r\n',
    ],
    ['a CSV without header', 'ann,tea,30\nbob,tea,20\nann,jam,10\n'],
    ['a TSV with columns in another order', 'ts\tITEM_ID\tUser Id\n30\ttea\tann\n20\ttea\tbob\n10\tjam\tann\n'],
    ['a CSV with semicolons', 'customer;product;date\nann;tea;30\nbob;tea;20\nann;jam;10\n'],
    [
      'an atomic file of RecBole',
      'user_id:token\titem_id:token\ttimestamp:float\nann\ttea\t30\nbob\ttea\t20\nann\tjam\t10\n',
    ],
    [
      'a text with byte order mark, blank lines and no last line break',
      '\uFEFF\nuser,item,time\n\nann,tea,30\n \r\nbob,tea,20\nann,jam,10',
    ],
    [
      'quoted fields',
      '"user","title","item","time"\n"ann","a ""fine"", hot tea","tea","30"\nbob,,tea,20\nann,"jam,\nred","jam",10\n',
    ],
    ['padded cells', 'user, item, time\nann, tea, 30\nbob, tea, 20\nann, jam, 10\n'],
  ])('%s', async (_, text) => {
    expect(await read(text)).toEqual(THREE);
  });
});

describe('columns', () => {
  it('are two without a header: user and item, and the file’s order is the time', async () => {
    expect(await read('ann,tea\nbob,tea\n')).toEqual(['ann tea', 'bob tea']);
  });

  it.each<[string, Columns]>([
    ['name', { user: 'who', item: 'WHAT', timestamp: 'when' }],
    ['number', { user: 3, item: 2, timestamp: 1 }],
  ])('are given by %s when the header has names of its own', async (_, columns) => {
    expect(await read('when,what,who\n30,tea,ann\n20,tea,bob\n10,jam,ann\n', { columns })).toEqual(THREE);
  });

  it('are given by number where there is no header, and no row is taken for one', async () => {
    const columns = { user: 5, item: 1 };
    expect(await read('tea,1,1,1,ann\njam,1,1,1,bob\n', { columns })).toEqual(['ann tea', 'bob jam']);
  });

  it('called date and timestamp: the timestamp is the time', async () => {
    expect(await read('date,user,item,timestamp\nMay,ann,tea,30\n')).toEqual(['ann tea 30']);
  });

  it('hold ISO dates, read as UTC where they name no zone', async () => {
    const text = 'u,a,1970-01-02\nu,b,1970-01-01T00:01:00Z\nu,c,1970-01-01 00:00:01.5\nu,d,1970-01-01T01:00+01:00\n';
    expect(await read(text)).toEqual(['u a 86400', 'u b 60', 'u c 1.5', 'u d 0']);
  });
});

describe('a format that is named', () => {
  it('decides what separates the fields', async () => {
    expect(await read('a,1\tx,1\nb,2\ty,2\n', { format: 'tsv' })).toEqual(['a,1 x,1', 'b,2 y,2']);
    expect(await read('a\t1,x\t1\nb\t2,y\t2\n', { format: 'csv' })).toEqual(['a\t1 x\t1', 'b\t2 y\t2']);
    expect(await read('1::2::3::4\n', { format: 'movielens' })).toEqual(['1 2 4']);
  });

  it.each<[string, DelimitedOptions['format'], string]>([
    ['1,2,3\n', 'tsv', 'data.csv: one column; fields are separated by "\\t": "1,2,3"'],
    ['1,2,3\n', 'movielens', 'data.csv: 3 columns, but MovieLens has user, item, rating, timestamp: "1,2,3"'],
    ['ann\n', 'auto', 'data.csv: one column; fields are separated by "::" or "\\t" or "," or ";": "ann"'],
  ])('%j is refused as %s', async (text, format, message) => {
    await expect(read(text, { format })).rejects.toThrow(new DataError(message));
  });
});

describe('a file that cannot be read says why, and where', () => {
  it.each([
    ['', 'data.csv: the file is empty'],
    ['\uFEFF \n\r\n', 'data.csv: the file is empty'],
    ['user,item,time\n', 'data.csv: only a header, no interactions'],
    ['a,b,1\na,c\n', 'data.csv:2: 2 columns, but the timestamp is column 3: "a,c"'],
    ['user,item\r\na,b\r\na\r\n', 'data.csv:3: 1 column, but the item is column 2: "a"'],
    ['user,item,time\na,b,yesterday\n', 'data.csv:2: timestamp "yesterday" is neither a number nor an ISO date'],
    ['user,item,time\na,b,\n', 'data.csv:2: timestamp "" is neither a number nor an ISO date'],
    ['a,b,1\na,c,2020-13-45\n', 'data.csv:2: timestamp "2020-13-45" is neither a number nor an ISO date'],
    ['a,b,1\n ,c,2\n', 'data.csv:2: the user id is empty: " ,c,2"'],
    ['a,b,1\nd,"",2\n', 'data.csv:2: the item id is empty: "d,,2"'],
    [',,\n,,\n', 'data.csv:1: the user id is empty: ",,"'],
    ['a,b,3,4,5\n', 'data.csv: 5 columns and no header; say which are the user, the item and the timestamp'],
    ['buyer,thing\n1,2\n', 'data.csv: cannot tell user and item from the header (buyer, thing); name the columns'],
    ['buyer,item\na,b\n', 'data.csv: cannot tell the user from the header (buyer, item); name the columns'],
    [
      'buyer,thing,at\na,b,3\n',
      'data.csv: cannot tell user and item from the header (buyer, thing, at); name the columns',
    ],
    ['a,b,1\nc,"d\nx,y,2\n', 'data.csv:2: a quoted field is not closed, or text follows its closing quote'],
    ['a,b,1\nc,"d"e,2\n', 'data.csv:2: a quoted field is not closed, or text follows its closing quote'],
  ])('%j', async (text, message) => {
    await expect(read(text)).rejects.toThrow(new DataError(message));
  });

  it('counts the line breaks inside quoted fields and the blank lines', async () => {
    const text = 'user,item,title,time\r\na,b,"two\r\nlines",1\r\n\r\na,c,"three\n\nlines",soon\r\n';
    const message = 'data.csv:5: timestamp "soon" is neither a number nor an ISO date';
    await expect(read(text)).rejects.toThrow(new DataError(message));
  });

  it('says which columns there are when a named one is not', async () => {
    const columns = { user: 'userId', item: 'movieId', timestamp: 'when' };
    const message = 'data.csv: no column "when" for the timestamp; the columns are userId, movieId, rating';
    await expect(read('userId,movieId,rating\n1,2,3\n', { columns })).rejects.toThrow(new DataError(message));
  });

  it('counts columns from 1', async () => {
    const message = 'item column 0: columns are counted from 1';
    await expect(read('a,b\n', { columns: { user: 1, item: 0 } })).rejects.toThrow(new ConfigError(message));
  });

  it('does not look for a closing quote to the end of a large file', async () => {
    const cuts = Array.from({ length: 70 }, (_, i) => (i + 1) << 16);
    const late = `a,b,1\na,c,1\nc,"d,2\n${'x,y,3\n'.repeat(800_000)}`;
    const message = 'data.csv:3: no end of this row in 4194304 characters; is a quote left open?';
    await expect(readInteractions(source('data.csv', late, cuts))).rejects.toThrow(new DataError(message));
    const early = `a,b,1\nc,"d,2\n${'x,y,3\n'.repeat(20_000)}`;
    const atOnce = 'data.csv: its first two rows have more than 65536 characters; is a quote left open?';
    await expect(readInteractions(source('data.csv', early, cuts.slice(0, 1)))).rejects.toThrow(new DataError(atOnce));
  });

  it('does not tell the columns from a part of the first row', async () => {
    // Within the head the row ends behind its third column, and the fourth is the time.
    const text = `u,i,${'0'.repeat(70_000)},5\n`;
    await expect(readInteractions(source('data.csv', text, [66_000]))).rejects.toThrow('its first two rows have more');
  });
});

describe('what could be read in two ways is refused:', () => {
  it.each([
    [
      'two columns of one name',
      'user,item,user_id,User\n1,2,3,4\n',
      'two columns are called user (user, item, user_id, User); give the columns by number',
    ],
    [
      'a title that is not quoted',
      'user,title,item\nu,tea, hot,i\n',
      ':2: 4 columns, but the first row has 3: "u,tea, hot,i"',
    ],
    ['a time in hexadecimal', 'u,i,0x10\n', ':1: timestamp "0x10" is neither a number nor an ISO date'],
    ['a time beyond all numbers', 'u,i,1\nu,j,1e400\n', ':2: timestamp "1e400" is neither a number nor an ISO date'],
    [
      'a day that no month has',
      'u,i,1\nu,j,2023-02-30\n',
      ':2: timestamp "2023-02-30" is neither a number nor an ISO date',
    ],
    ['UTF-16 without its mark', 'u\0,\0i\0\n\0', ':1: a NUL character, so this is no text in UTF-8; save it as UTF-8'],
    [
      'a NUL far down',
      `${'u,i\n'.repeat(9)}u,\0\n`,
      ':10: a NUL character, so this is no text in UTF-8; save it as UTF-8',
    ],
  ])('%s', async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(DataError);
    await expect(read(text)).rejects.toThrow(message);
  });

  it('but a row may end in empty cells, and early', async () => {
    expect(await read('user,item,title\na,x,tea,,\nb,y\n')).toEqual(['a x', 'b y']);
  });
});

it('lines end in CR as well, and the delimiter is found behind a quoted line break', async () => {
  expect(await read('user,item,time\rann,tea,30\rbob,tea,20\rann,jam,10')).toEqual(THREE);
  expect(await read('ann,tea,30\rbob,tea,20\r\nann,jam,10\n')).toEqual(THREE);
  expect(await read('"first\nlast",tea,30\nbob,tea,20\n')).toEqual(['first\nlast tea 30', 'bob tea 20']);
});

it('ids are data, whatever they are called', async () => {
  const ids = ['__proto__', 'constructor', 'toString', '=1+1', '<b>', 'ünï😀'];
  const rows = ids.map((id, i) => `${id} ${ids.at(-1 - i)} ${i}`);
  const text = rows.map((row) => row.replaceAll(' ', ',')).join('\n');
  expect(await read(text)).toEqual(rows);
  expect(await read(`user,__proto__,item,constructor,time\n1,2,3,4,5\n`)).toEqual(['1 3 5']);
});

it('an error shows control characters and gives no orders to a terminal', async () => {
  const message = 'data.csv:1: timestamp "\\x1b[2J\\x9b5m\\u202e" is neither a number nor an ISO date';
  await expect(read('u,i,\x1b[2J\x9b5m\u202e\n')).rejects.toThrow(new DataError(message));
  const { length } = await read(`u,i,${'9'.repeat(400)}\n`).catch(({ message: text }: Error) => text);
  expect(length).toBeLessThan(200);
});

it('gives the same rows wherever the stream is cut, even inside a character, a quote or a line end', async () => {
  const text = '\uFEFFuser,item,title,time\r\nänn,"te""a","x,\r\ny" ,1\r\n\r\n"bob",jam,"",2\r\nänn,“jam”,z,3';
  const whole = await read(text);
  expect(whole).toEqual(['änn te"a 1', 'bob jam 2', 'änn “jam” 3']);
  const { length } = new TextEncoder().encode(text);
  for (let cut = 0; cut <= length; cut++) {
    expect(rowsOf(await readInteractions(source('data.csv', text, [cut]))), `cut at ${cut}`).toEqual(whole);
  }
  const everywhere = Array.from({ length }, (_, cut) => cut);
  expect(rowsOf(await readInteractions(source('data.csv', text, everywhere)))).toEqual(whole);
});

it('keeps the place of a late error wherever the stream is cut', async () => {
  const filler = 'user,item,title,time\n'.concat('a,b,"t\nt",1\n'.repeat(10_000)); // longer than the head that is looked at
  const message = 'data.csv:20002: timestamp "x" is neither a number nor an ISO date';
  for (const cut of [1, 65_535, 65_536, 65_537, 100_000]) {
    const late = source('data.csv', `${filler}a,b,c,x\n`, [cut]);
    await expect(readInteractions(late)).rejects.toThrow(new DataError(message));
  }
});

describe('a pair that stands twice', () => {
  it('is the earliest by time, and keeps its place in the file', async () => {
    const text = 'a,x,5\nb,x,1\na,y,4\na,x,3\na,x,9\nb,x,1\n';
    const interactions = await readInteractions(source('data.csv', text));
    expect(rowsOf(interactions)).toEqual(['b x 1', 'a y 4', 'a x 3']);
    expect(interactions.duplicates).toBe(3);
  });

  it('is the first in the file when times are equal or absent', async () => {
    const interactions = await readInteractions(source('data.csv', 'a,x\na,y\na,x\n'));
    expect(rowsOf(interactions)).toEqual(['a x', 'a y']);
    expect(interactions.duplicates).toBe(1);
  });
});
