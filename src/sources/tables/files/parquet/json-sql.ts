/**
 * SQL that prints a row as JSON text, digit for digit. DuckDB's own `to_json` is used for text alone: it writes NaN,
 * which is no JSON, and turns the decimal 1.10 into 1.1.
 */
import type { DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

/** DuckDB's type ids by name; handed in because DuckDB is loaded late. */
export type TypeIds = typeof DuckDBTypeId;

export interface Column {
  readonly name: string;
  readonly type: DuckDBType;
}

/** An expression of type BLOB: the row of these columns as one JSON object in UTF-8. */
export function rowAsJson(columns: readonly Column[], ids: TypeIds): string {
  const printer = new JsonPrinter(ids);
  return `encode(${printer.object(columns.map(({ name, type }) => [name, type, identifier(name)]))})`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

class JsonPrinter {
  readonly #ids: TypeIds;
  #depth = 0;

  constructor(ids: TypeIds) {
    this.#ids = ids;
  }

  object(members: readonly (readonly [name: string, type: DuckDBType, sql: string])[]): string {
    const parts = members.map(
      ([name, type, sql], index) =>
        `${literal(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`)}, ${this.value(type, sql)}`,
    );
    return `concat('{', ${parts.join(', ')}, '}')`;
  }

  /** VARCHAR that is never null: a null prints as `null`. */
  value(type: DuckDBType, sql: string): string {
    return `CASE WHEN ${sql} IS NULL THEN 'null' ELSE ${this.#present(type, sql)} END`;
  }

  #present(type: DuckDBType, sql: string): string {
    const ids = this.#ids;
    const text = `(${sql})::VARCHAR`;
    const typeId: number = type.typeId;
    switch (typeId) {
      case ids.BOOLEAN:
      case ids.TINYINT:
      case ids.SMALLINT:
      case ids.INTEGER:
      case ids.BIGINT:
      case ids.HUGEINT:
      case ids.UTINYINT:
      case ids.USMALLINT:
      case ids.UINTEGER:
      case ids.UBIGINT:
      case ids.UHUGEINT:
      case ids.BIGNUM:
      case ids.DECIMAL:
        return text;
      case ids.FLOAT:
      case ids.DOUBLE:
        return `CASE WHEN isfinite(${sql}) THEN ${text} WHEN isnan(${sql}) THEN '"NaN"' WHEN ${sql} > 0 THEN '"Infinity"' ELSE '"-Infinity"' END`;
      case ids.TIMESTAMP:
      case ids.TIMESTAMP_S:
      case ids.TIMESTAMP_MS:
      case ids.TIMESTAMP_NS:
        return quoted(isoTime(text, ''));
      case ids.TIMESTAMP_TZ:
        return quoted(isoTime(`timezone('UTC', ${sql})::VARCHAR`, 'Z'));
      case ids.BLOB:
        return `concat('"', to_base64(${sql}), '"')`;
      case ids.LIST:
        return this.#list(this.#elementType(type), sql);
      case ids.ARRAY: {
        const element = this.#elementType(type);
        return this.#list(element, `(${sql})::${element.toString()}[]`);
      }
      case ids.STRUCT:
        return this.#struct(type, sql);
      case ids.MAP:
        return this.#map(type, sql);
      default:
        // A JSON column is JSON already; all others (dates, times, UUIDs, enums …) are their text.
        if (type.alias === 'JSON') return `CASE WHEN json_valid(${text}) THEN ${text} ELSE ${quoted(text)} END`;
        return quoted(text);
    }
  }

  #elementType(type: DuckDBType): DuckDBType {
    return (type as DuckDBType & { readonly valueType: DuckDBType }).valueType;
  }

  #list(element: DuckDBType, sql: string): string {
    const item = `item${++this.#depth}`;
    return `concat('[', array_to_string(list_transform(${sql}, lambda ${item}: ${this.value(element, item)}), ','), ']')`;
  }

  #struct(type: DuckDBType, sql: string): string {
    const { entryNames, entryTypes } = type as DuckDBType & {
      readonly entryNames: readonly string[];
      readonly entryTypes: readonly DuckDBType[];
    };
    return this.object(
      entryNames.map((name, index) => [name, entryTypes[index]!, `struct_extract(${sql}, ${literal(name)})`]),
    );
  }

  /** Keys are text in JSON, whatever they are in the file. */
  #map(type: DuckDBType, sql: string): string {
    const { valueType } = type as DuckDBType & { readonly valueType: DuckDBType };
    const entry = `entry${++this.#depth}`;
    const member = `concat(${quoted(`${entry}.key::VARCHAR`)}, ':', ${this.value(valueType, `${entry}.value`)})`;
    return `concat('{', array_to_string(list_transform(map_entries(${sql}), lambda ${entry}: ${member}), ','), '}')`;
  }
}

/** A JSON string of SQL text. */
function quoted(sql: string): string {
  return `to_json(${sql})::VARCHAR`;
}

/** ISO 8601 with `T`; `infinity` and years before Christ stay as DuckDB prints them. */
function isoTime(text: string, zone: string): string {
  return `regexp_replace(${text}, '^(\\d+-\\d\\d-\\d\\d) (\\d[\\d:.]*)$', '\\1T\\2${zone}')`;
}
