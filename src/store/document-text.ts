import { ShoalError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { RowFault } from './checked-row.ts';
import { checkedDocument, FORMAT, type StoreDocument, upgraded, VERSION } from './document.ts';
import { jsonFault } from './json-fault.ts';

/** One row a line, so that people can read the file. */
export function documentToText(document: StoreDocument): string {
  const { next_id_vmachine, system_params, ip_pool, vmachine } = document;
  const members = [
    `"format":${JSON.stringify(FORMAT)},"version":${VERSION},"next_id_vmachine":${next_id_vmachine}`,
    ...Object.entries({ system_params, ip_pool, vmachine }).map(([name, rows]) => `"${name}":${tableToText(rows)}`),
  ];
  return `{${members.join(',\n')}}\n`;
}

/** @throws STORE_DAMAGED, STORE_FOREIGN, STORE_NEWER; each names the file, the place, the fault and the remedy */
export function documentFromBytes(bytes: Uint8Array, path: string): StoreDocument {
  const { format, version, ...content } = objectIn(textOf(bytes, path), path);
  if (format !== FORMAT) throw foreign(path, format);
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) {
    throw damaged(path, 'version', 'must be a whole number from 1 up');
  }
  if (version > VERSION) throw newer(path, version);
  try {
    return checkedDocument(upgraded(content, version));
  } catch (error) {
    if (error instanceof RowFault) throw damaged(path, error.place, error.what, error);
    throw error;
  }
}

function tableToText(rows: readonly object[]): string {
  return rows.length === 0 ? '[]' : `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]`;
}

/** Many times the size of the largest fleet's tables. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

function textOf(bytes: Uint8Array, path: string): string {
  if (bytes.length > FILE_BYTES_MAX) {
    throw damaged(path, `byte ${FILE_BYTES_MAX}`, `is not the end of the file, which has ${bytes.length} bytes`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw damaged(path, 'the content', 'is not text in UTF-8', cause);
  }
}

function objectIn(text: string, path: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') throw damaged(path, 'line 1', 'has nothing in it: the file is empty');
  const fault = jsonFault(text);
  if (fault !== undefined) {
    throw damaged(path, `line ${fault.line}, column ${fault.column}`, `is not JSON (${fault.message})`);
  }
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw foreign(path, undefined);
  return { ...value };
}

function damaged(path: string, position: string, what: string, cause?: unknown): ShoalError {
  return new ShoalError(
    'STORE_DAMAGED',
    `The tables in ${path} are damaged: ${position} ${what}. The file is left as it is; put a copy of it back, or start with ` +
      'empty tables, which moves it aside and takes up again what the hosts report',
    { cause, details: { path, position } },
  );
}

function foreign(path: string, format: unknown): ShoalError {
  const found =
    typeof format === 'string' ? `its format is ${JSON.stringify(format.slice(0, 60))}` : 'it names no format';
  return new ShoalError(
    'STORE_FOREIGN',
    `${path} does not hold the tables of Shoal: ${found}, not "${FORMAT}". The file is left as it is; move it away, or name ` +
      'another data directory',
    { details: { path, format: typeof format === 'string' ? format.slice(0, 60) : null } },
  );
}

function newer(path: string, version: number): ShoalError {
  return new ShoalError(
    'STORE_NEWER',
    `The tables in ${path} were written by a newer Shoal: version ${version}, while this one reads ${VERSION}. The file is left ` +
      'as it is; use that newer Shoal, or name another data directory',
    { details: { path, version, versionMax: VERSION } },
  );
}
