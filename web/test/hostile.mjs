// Three hundred texts that events may carry and that must stay text wherever they are shown.
const scripts = [
  '<script>window.pwned=1</script>', '"><script>window.pwned=1</script>', "'><img src=x onerror=pwned=1>",
  '<svg onload=window.pwned=1>', '<iframe srcdoc="<script>parent.pwned=1</script>">', '</script><script>pwned=1//',
  '<a href="javascript:pwned=1">x</a>', 'javascript:window.pwned=1', '<math><mi xlink:href="javascript:pwned=1">',
  '<details open ontoggle=pwned=1>', '<body onload=pwned=1>', '<style>@import"//evil.example"</style>',
  '<link rel=stylesheet href=//evil.example>', '<base href=//evil.example/>', '<meta http-equiv=refresh content=0>',
  '<form action=//evil.example><button>x', '{{constructor.constructor("pwned=1")()}}', '${window.pwned=1}',
  '`-pwned=1-`', '--><script>pwned=1</script>', ']]><script>pwned=1</script>', '<!--', '<![CDATA[', '&lt;script&gt;',
  '%3Cscript%3Epwned=1%3C/script%3E', '\\u003cscript\\u003e', '<img src="//evil.example/x">', '<object data=//evil.example>',
  '<template shadowrootmode=open><script>pwned=1</script>', 'data:text/html,<script>pwned=1</script>',
];
const formulas = [
  '=1+1', '+1+1', '-1+1', '@SUM(A1)', '=cmd|" /C calc"!A0', '=HYPERLINK("http://evil.example","x")', '\t=1+1',
  ' =1+1', '|calc', '%0A=1', '=IMPORTXML("http://evil.example","//a")', '+cmd', '@import', '-2+3+cmd',
];
const layout = [
  'x'.repeat(60), 'W'.repeat(60), 'á'.repeat(40), '你'.repeat(40), '🧨'.repeat(20), 'a b '.repeat(15),
  '\u202eevil\u202c', '\u2066\u2067x\u2069', 'e' + '\u0301'.repeat(40), '\u200b'.repeat(30), '\ufeffx', 'a\u00adb',
  'ﷺ'.repeat(30), '\u0000x', 'a\nb', 'a\r\nb', 'a\tb', '\u2028x', '\u001b[31mred', '"quoted"', "o'clock", 'a,b', 'a;b',
  'a;country=FR', 'a=b', 'a&b=c', 'a#b', 'a?b', 'a/b', '../../etc/passwd', '%', '%%', '%zz', '%00', '\\', '\\\\', '//',
  'null', 'undefined', 'NaN', 'true', '0', '-0', '1e999', '[object Object]', '__proto__', 'constructor', 'hasOwnProperty',
  'toString', 'ΑΒΓ', 'שלום', 'مرحبا', 'ไทย', 'हिन्दी', '日本語', 'İstanbul', 'ß', 'ﬁ', '𝕏', '👩‍👩‍👧‍👦',
];
// The shortest field of all takes 64 bytes.
function fit(text) {
  while (Buffer.byteLength(text) > 64) text = [...text].slice(0, -1).join('');
  return text;
}
const base = [...scripts, ...formulas, ...layout];
export const hostile = [];
for (let i = 0; hostile.length < 300; ++i) {
  const one = base[i % base.length];
  const round = Math.floor(i / base.length);
  // Later rounds put them inside other text, where escapes are tried in other places.
  hostile.push(fit(round === 0 ? one : round === 1 ? `Paris ${one}` : `${i} ${one}`));
}
