// JSON objects changed as text: what is not touched stays as it stands, character by character. To
// parse and write them again would round numbers above 2^53 and lose one of two equal keys.

export interface Member { name: string; key: string; value: string } // key and value as they stand

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

// In their order; null where the text is no JSON object.
export function membersOf(text: string): Member[] | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  } catch {
    return null;
  }
  const members: Member[] = [];
  let depth = 0;
  let key = '';
  let begin = -1; // of the value
  let end = -1;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    const closes = token === '}' || token === ']';
    if (closes) --depth;
    if (depth === 1 && !closes && key === '') key = token;
    else if (depth === 1 && token === ':' && begin < 0) begin = index + 1;
    else if ((depth === 1 && token === ',') || (depth === 0 && closes)) {
      if (key !== '') members.push({ name: JSON.parse(key) as string, key, value: text.slice(begin, end).trim() });
      key = '';
      begin = -1;
    }
    if (token === '{' || token === '[') ++depth;
    end = index + token.length;
  }
  return members;
}

export const objectText = (members: Member[]) => `{${members.map((m) => `${m.key}:${m.value}`).join(',')}}`;

// A member a line, for people.
export const prettyText = (members: Member[]) =>
  members.length === 0 ? '{}' : `{\n${members.map((m) => `  ${m.key}: ${m.value}`).join(',\n')}\n}`;

// The value as typed: JSON, or else a text.
function valueText(typed: string): string {
  try {
    JSON.parse(typed);
    return typed.trim();
  } catch {
    return JSON.stringify(typed);
  }
}

// One member of that name in the first one's place, or as the last one; with '' there is none left.
export function setMember(members: Member[], name: string, typed: string): Member[] {
  const first = members.findIndex((m) => m.name === name);
  const left = members.filter((m) => m.name !== name);
  if (typed !== '') left.splice(first < 0 ? left.length : first, 0, { name, key: JSON.stringify(name), value: valueText(typed) });
  return left;
}
