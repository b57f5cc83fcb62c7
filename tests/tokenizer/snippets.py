"""Small expressions and statements whose result hangs on Python's or Jinja's semantics."""

VARIABLES = {
    "messages": [{"role": "user", "content": "Hi"}],
    "n": 7,
    "neg": -7,
    "f": 2.5,
    "big": 12345678901234567890,
    "s": "hello World",
    "uni": "Grüße, 世界 🦙 é",
    "quote": "it's \"q\"",
    "empty": "",
    "t": True,
    "no": None,
    "l": [3, 1, 2],
    "words": ["b", "A", "c", "B"],
    "d": {"b": 1, "a": [1, 2.0, None, True, "x"], "items": "shadowed"},
    "people": [
        {"name": "Ann", "age": 31, "tags": ["x", "y"]},
        {"name": "bob", "age": 25, "tags": []},
        {"name": "Cid", "age": 31, "tags": ["z"], "extra": {"k": 1}},
    ],
    "nested": {"x": {"y": {"z": [10, {"w": "deep"}]}}},
}

EXPRESSIONS = r"""
n + 2
n - 10
n * 3
n / 2
n // 2
neg // 2
neg % 3
n % -3
-7 // 2.0
7.5 % 2
-7.5 % 2
7 % -2.5
2 ** 10
2 ** -1
2 ** 0.5
2 ** 3 ** 2
-2 ** 2
2 ** 100
10 / 5
1 / 3
1e16 * 10
1e15 + 0.5
1.0
100000000000000000.0
1e100
1e-5
0.0001
0.1 + 0.2
1.5e3
3.14159265358979
5e-324
1_000_000
0x1F
0b101
0o17
big
big + 1
f
f * 2
t + 1
t + t
-t
+t
not t
not empty
not no
true and 'x'
'' or 'y'
none or 0
0 and missing.x
1 and 2 or 3
1 < 2 < 3
1 < 2 > 3
3 > 2 > 1 == 1
1 == 1.0
true == 1
'a' == 'a'
none == none
[] == ()
[1, 2] == [1, 2]
{'a': 1} == {'a': 1.0}
'a' < 'b'
'Z' < 'a'
[1, 2] < [1, 3]
(1, 2) < (1, 2, 0)
1 < 'a'
none < 1
[1] < (1,)
1 in l
5 not in l
'ell' in s
'' in s
1 in 'abc'
none in 'abc'
'a' in d
'zz' in d
1 in {1: 2}
'x' in none
'x' in missing
missing in 'abc'
missing in l
missing in d
[1] in d
1 in 5
missing
missing == missing
missing == none
missing is defined
missing is undefined
missing.x
missing['x']
missing()
missing + 1
'a' + missing
'a' ~ missing
missing ~ 'a'
-missing
missing < 1
missing|length
missing|list
missing|join(',')
missing|upper
missing|int
missing|float
missing|abs
missing|tojson
missing|string
missing|trim
missing|first
missing|last
missing|sort
missing|items|list
missing|dictsort
missing|default('d')
missing|d('d')
missing|replace('a', 'b')
missing|map('upper')|list
missing|selectattr('x')|list
missing|unique|list
missing|sum
missing|reverse|list
missing|round
missing|escape
missing|format(1)
missing|title
missing|indent
missing|wordcount
missing|capitalize
missing|min
missing[1:2]
missing is none
missing is string
missing is iterable
missing is sequence
missing is mapping
missing is callable
missing is number
missing is eq(1)
missing is in(l)
missing is odd
missing is lower
missing if true
missing or 'x'
missing and 'x'
not missing
[missing]
[missing, none, true]
{'k': missing}
{missing: 1}
d.missing
d.missing is defined
d['missing'] is defined
d.missing.x
d.missing ~ ''
none
true
false
True
False
None
[none, true, 1.0, 'a', "it's", 'q"', '\'"']
['a\nb\t\\', '\x00\x1f\x7f', 'é', '\u200b', '\u00a0', '🦙']
{'a': 1, 2: 'b', none: [], true: {}, 1.5: ()}
()
(1,)
(1, 2)
1, 2
(1, 'a', none)
{}
[]
[[], {}, ()]
[1, [2, [3]]]
''
""
'a' 'b'
'a' "b" 'c'
'\u00e9\t\x41\101\q'
'a\
b'
'a' + 'b'
'a' + 1
1 + 'a'
'a' + none
[1] + [2]
[1] + (2,)
(1,) + (2,)
[1] + 'a'
{'a': 1} + {'b': 2}
'a' * 3
3 * 'a'
'a' * 0
'a' * -1
'a' * 1.5
[1, 2] * 2
(1,) * 3
'a' * true
'a' - 'b'
'a' / 2
'%s is %d' % ('x', 5)
'%s' % 'x'
'%s' % none
'%s' % l
'%s' % (l,)
'%r' % 'x'
'%5.2f|%-5d|%05d|%+d' % (3.14159, 42, 42, 42)
'%x %X %o %#x' % (255, 255, 8, 255)
'%e' % 12345.678
'%g %g %g' % (0.0001, 1000000.0, 1e-10)
'%c%c' % ('a', 98)
'%%' % ()
'%(a)s-%(b)d' % {'a': 1, 'b': 2}
'%s %s' % ('only',)
'%d' % 'x'
'%s' % ('a', 'b')
'%10s|%-10s|%.2s' % ('abc', 'abc', 'abc')
'%i' % 3.9
1 ~ 2
'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1]
1 ~ -2
s[0]
s[-1]
s[100]
s[1:4]
s[::-1]
s[::2]
s[-3:]
s[:-3]
s[5:2]
s[8:2:-2]
uni[1]
uni[::-1]
uni[7:9]
uni|length
l[0]
l[-1]
l[5]
l[1:]
l[::-1]
l[:2]
l['0']
l.0
l.1
(1, 2, 3)[1:]
d['b']
d.b
d['items']
d.items()
d.items()|list
d.keys()
d.keys()|list
d.values()|list
d.get('b')
d.get('zz')
d.get('zz', 'dflt')
d.get('zz').x
d.copy()
d.keys() is sequence
d.items() is iterable
d.keys()[0]
d|length
d|list
d|items|list
d|dictsort
d[1:2]
d[[1]]
{'a': 1}.items()
{'a': 1}.update({'b': 2})
{'a': 1}.pop('a')
l.append(4)
l.append
l.append is defined
l.count(1)
l.index(2)
l.index(99)
l.sort()
l.copy()
nested.x.y.z[1].w
nested['x']['y']['z'][0]
nested.x.q.z
5.real
n.bit_length()
f.is_integer()
none.x
none['x']
none[0]
n[0]
n.foo
n()
none()
s()
s.upper()
s.lower()
s.title()
s.capitalize()
s.swapcase()
'ß'.upper()
'ß'.title()
'ǆ'.title()
'İ'.lower()
'ΑΣ'.lower()
'ß'.casefold()
s.strip()
'  a b '.strip()
'  a b '.lstrip()
'  a b '.rstrip()
'xxaxx'.strip('x')
'\n\n a\n'.strip('\n')
'\u00a0\u2003a\u3000'.strip()
'\x1ca\x1f'.strip()
s.split()
s.split('l')
s.split('l', 1)
s.split(none, 1)
s.split(maxsplit=1)
s.rsplit('l', 1)
' a  b '.split()
' a  b '.split(' ')
'a,b,,c'.split(',')
''.split()
''.split(',')
s.split('')
'a\nb\r\nc\x0bd\u2028e'.splitlines()
'a\nb\n'.splitlines(true)
'a\n\nb'.splitlines()
'<think>x</think>y'.split('</think>')[-1].lstrip('\n')
'<think>\nx\n</think>\n\ny'.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n')
s.partition(' ')
s.rpartition('o')
s.partition('zz')
s.replace('l', 'L')
s.replace('l', 'L', 1)
s.replace('', '-')
s.replace(1, 2)
s.startswith('he')
s.startswith(('x', 'he'))
s.startswith('l', 2)
s.endswith('ld')
s.endswith(('a', 'd'))
s.find('o')
s.find('o', 5)
s.find('zz')
s.rfind('o')
s.index('zz')
uni.find('世')
s.count('l')
s.count('')
s.join(['a', 'b'])
','.join(['a', 'b'])
','.join('abc')
','.join([1, 2])
','.join(missing)
s.center(20)
s.center(20, '*')
'ab'.center(5)
'abc'.center(6)
s.ljust(15, '.')
s.rjust(15, '.')
'42'.zfill(5)
'-42'.zfill(5)
'a\tb'.expandtabs()
'a\tb'.expandtabs(4)
s.isalpha()
'abc'.isalpha()
'é世'.isalpha()
'12'.isdigit()
'²'.isdigit()
'²'.isdecimal()
'½'.isnumeric()
'a1'.isalnum()
' '.isspace()
''.isspace()
'ABC'.isupper()
'abc1'.islower()
'Ab Cd'.istitle()
'a_1'.isidentifier()
'a\n'.isprintable()
'abc'.isascii()
'abc'.removeprefix('a')
'abc'.removesuffix('bc')
'{} {}'.format(1, 'b')
'{0} {1} {0}'.format('a', 'b')
'{a} {b!r}'.format(a=1, b='x')
'{:>5}|{:<5}|{:^5}'.format('a', 'b', 'c')
'{:05d} {:x} {:,}'.format(42, 255, 1234567)
'{:.2f} {:e} {:g} {:%}'.format(3.14159, 1000.0, 0.5, 0.25)
'{:+} {: }'.format(5, 5)
'{0[a]} {0[b]}'.format({'a': 1, 'b': 2})
'{{}}'.format()
'{}'.format()
'{x}'.format()
'{:*^9}'.format('mid')
'{} {}'.format(none, true)
'{:d}'.format('x')
'{:.3}'.format('abcdef')
'{:.3}'.format(1234.5678)
s.nope()
s.nope
s.__class__
s.__class__.__mro__
l|first
l|last
[]|first
[]|last
''|first
s|first
s|last
d|first
l|length
s|length
s|count
5|length
none|length
l|sort
l|sort(reverse=true)
words|sort
words|sort(case_sensitive=true)
[1, 'a']|sort
people|sort(attribute='age')|map(attribute='name')|list
people|sort(attribute='age,name')|map(attribute='name')|join(' ')
people|map(attribute='name')|list
people|map(attribute='extra.k', default='-')|list
people|map(attribute='tags.0')|list
people|map(attribute='nope')|list
words|map('upper')|join(',')
words|map('replace', 'b', 'x')|list
l|map('string')|list
l|map('nofilter')|list
l|map()|list
[]|map()|list
l|select('odd')|list
l|select('gt', 1)|list
l|select('>', 1)|list
l|reject('even')|list
[0, 1, '', none]|select|list
people|selectattr('age', 'equalto', 31)|map(attribute='name')|list
people|selectattr('age', '==', 31)|list|length
people|selectattr('extra')|list|length
people|selectattr('extra', 'defined')|list|length
people|rejectattr('extra', 'defined')|map(attribute='name')|list
people|selectattr('name', 'in', ['Ann'])|list|length
people|selectattr('tags')|first
people|selectattr()|list
messages|selectattr('role', 'equalto', 'system')|list
(messages|selectattr('role', 'equalto', 'user')|list)[0].content
words|unique|list
words|unique(case_sensitive=true)|list
[1, 1.0, true, 2]|unique|list
people|unique(attribute='age')|map(attribute='name')|list
people|groupby('age')|length
people|groupby('age')
people|groupby('name')|map(attribute='grouper')|list
(people|groupby('age'))[0].list|length
(people|groupby('age')|first).grouper
l|sum
people|sum(attribute='age')
people|sum(attribute='age', start=10)
['a']|sum
l|min
l|max
words|min
words|max
[]|max
people|max(attribute='age')
l|join
l|join(', ')
[1, none, true, 'a', 2.0]|join('-')
people|join(', ', attribute='name')
s|join('.')
d|join(',')
l|reverse|list
s|reverse
l|list
s|list
(1, 2)|list
5|list
none|list
l|batch(2)|list
l|batch(2, 'x')|list
[1, 2, 3, 4, 5]|slice(2)|list
[1, 2, 3, 4, 5]|slice(3, 'x')|list
{'B': 1, 'a': 2, 'C': 0}|dictsort
{'B': 1, 'a': 2, 'C': 0}|dictsort(true)
{'B': 1, 'a': 2, 'C': 0}|dictsort(by='value')
{'B': 1, 'a': 2}|dictsort(reverse=true)
{1: 'a', 'b': 2}|dictsort
'42'|int
'42.9'|int
'x'|int
'x'|int(5)
'0x1f'|int(base=16)
'101'|int(0, 2)
' 42 '|int
'4_2'|int
3.99|int
-3.99|int
true|int
none|int
l|int
'1e3'|int
''|int
'3.5'|float
'x'|float
'x'|float(1.5)
'1e3'|float
'inf'|float
'nan'|float
none|float
7|float
42.55|round
42.55|round(1)
42.55|round(1, 'floor')
42.55|round(1, 'ceil')
2.5|round
3.5|round
0.125|round(2)
42|round
1234|round(-2)
42|round(0, 'ceil')
-3.5|round
-5|abs
-5.5|abs
'a'|abs
- 5|abs
-1|abs + 2
s|upper
s|lower
s|title
s|capitalize
'foo-bar (baz) o\'neil'|title
5|upper
none|upper
true|lower
'  a '|trim
'xxaxx'|trim('x')
5|trim
none|trim
s|replace('o', '0')
s|replace('o', '0', 1)
5|replace('5', '6')
s|wordcount
s|center(20)
'a\nb\n\nc'|indent
'a\nb\n\nc'|indent(2)
'a\nb\n\nc'|indent(2, true)
'a\nb\n\nc'|indent(2, first=true, blank=true)
'a\nb'|indent('> ')
''|indent
'a\n'|indent(2)
5|indent
'foo bar baz qux'|truncate(9)
'foo bar baz qux'|truncate(9, true)
'foo bar baz qux'|truncate(11)
'foo bar baz qux'|truncate(9, true, '..', 0)
'a <b> & "c"'|e
'a <b> & "c"'|escape|upper
('a <b>'|e) + '<i>'
('a <b>'|e) ~ '<i>'
'<b>'|safe
['<'|e]
'<b>x</b> <!-- c --> y'|striptags
'a b/c?d=é'|urlencode
{'a b': 1, 'c': 'd&e'}|urlencode
1024|filesizeformat
1024|filesizeformat(true)
1|filesizeformat
123456789|filesizeformat
{'class': 'x', 'id': none, 'n': 1}|xmlattr
'%s-%s'|format('a', 'b')
'%(x)s'|format(x=1)
s|string
1.0|string
none|string
[1]|string
l|tojson
d|tojson
d|tojson(indent=2)
d|tojson(indent=4)
nested|tojson(indent=2)
[]|tojson(indent=2)
{}|tojson(indent=2)
[[], {}]|tojson(indent=2)
uni|tojson
uni|tojson(ensure_ascii=true)
uni|tojson(true)
quote|tojson
'a/b<c>&\'\u2028\x7f\x00\x08'|tojson
{'b': 1, 'a': 2}|tojson(sort_keys=true)
{'b': 1, 'a': 2}|tojson(separators=(',', ':'))
{'b': [1, 2]}|tojson(indent=1, separators=(',', ': '))
{'b': [1, 2]}|tojson(indent='\t')
{1: 2, none: 3, true: 4, 1.5: 5}|tojson
(1, 2)|tojson
1.0|tojson
1e20|tojson
0.1|tojson
none|tojson
true|tojson
big|tojson
'inf'|float|tojson
missing|tojson
d.items()|tojson
d|tojson|length
l|tojson(nope=1)
none|default('d')
none|default('d', true)
''|default('d', true)
''|default('d')
0|default(5, boolean=true)
missing|default
d|attr('b')
l|pprint
s|nofilter
1 is nosuchtest
1 is odd
2 is odd
2 is even
9 is divisibleby 3
9 is divisibleby(4)
'a' is odd
1 is integer
true is integer
1.0 is integer
1.0 is float
1 is number
true is number
true is boolean
1 is true
true is true
false is false
none is none
none is not none
1 is not none
s is string
l is string
l is sequence
s is sequence
d is sequence
n is sequence
l is iterable
n is iterable
none is iterable
d is mapping
l is mapping
s is mapping
range is callable
s.upper is callable
n is callable
'abc' is lower
'ABC' is upper
1 is sameas 1
none is sameas none
l is sameas l
1 is eq 1
1 is ne 2
1 is lt 2
1 is ge 2
1 is in l
1 is in([1])
'x' is in d
'upper' is filter
'nope' is filter
'odd' is test
'x'|e is escaped
n is defined and n > 5
n is not defined or n == 7
not n is defined
n is defined == true
1 is odd is odd
'a' if t else 'b'
'a' if no
('a' if no) is defined
'a' if t and no else 'b' if n else 'c'
1 if 0 else 2 if 0 else 3
range(3)
range(3)|list
range(1, 4)|list
range(5, 0, -2)|list
range(3)[1]
range(3)|length
range(10)[2:5]|list
3 in range(5)
range(0)|list
range(200000)|list
range(1, 2, 0)
range('a')
range(3)|sum
dict(a=1, b=2)
dict([('a', 1)])
dict({'a': 1}, b=2)
dict.fromkeys(['a', 'b'], 0)
dict(a=1)|tojson
namespace(a=1).a
namespace(a=1).b
namespace(a=1).b is defined
namespace(_x=1)
namespace({'a': 2}).a
namespace(a=1)
cycler('a', 'b').next()
joiner(',')()
raise_exception('boom')
raise_exception(1)
strftime_now('%Y-%m-%d')
strftime_now('%d %b %Y')
strftime_now('%A, %B %d, %Y %H:%M:%S %p %j %y %%')
strftime_now('%-d %e %I %f %Z')
strftime_now('')
strftime_now(5)
[1, 2, 3][1:]|join
{'a': {'b': [1]}}['a']['b'][0]
{'a': 1}.a
{1: 'x'}[1]
{1: 'x'}[1.0]
{true: 'x'}[1]
{'a': 1, 'a': 2}
[1, 2, 3,]
{'a': 1,}
[
(1
l[
1 +
+
{'a'}
'unterminated
a b
1 2
foo(
foo(a=1, 2)
foo(a=1, a=2)
s.split(*[' ', 1])
s.replace(*('l', 'L'), **{})
dict(**{'a': 1})
dict(**5)
s.upper(1)
s.split(foo=1)
s.upper().lower().title()
(s|upper).lower()
(s|upper)[0]
s|upper|lower|title
(l|first) + 1
l|first + 1
-l|first
not l|first == 3
1 + 2 * 3 - 4 / 2
(1 + 2) * 3
7 // 2 * 2
1 - -1
1 - - 1
2 * -3
not not 1
not 1 == 2
1 == 1 and 2 == 2
'a' in 'abc' and 'd' not in 'abc'
not 'a' in 'abc'
1 + 1 ~ 'a'
1 ~ 1 + 1
'a' ~ 'b' * 2
'yes' if 'a' == 'a' and not false else 'no'
d.a|length > 2
d.a|map('string')|list
(d.a|last).upper()
d['a'][4]
d.a[-1:][0]
people[0].name[0]
people[-1]['extra']['k']
people|length is eq 3
people[0].tags|join('/')
(people|map(attribute='age')|list)|max
people|map(attribute='age')|sum / people|length
loop
caller
varargs
context
true|string ~ false
True == true
[true, false]|map('string')|join
[1.0, 2.50, 1e3]|join(' ')
100 * 1.1
0.1 * 3
1e3
1E3
1.
.5
1.5.real
007
1__0
_x
__x
é
"\N{DASH}"
"tab\there"
'nul\0x'
s!r
a = 1
l.__len__()
l|length|string + 'x'
{'x': range}|length
[range]|length
""" .strip("\n").split("\n")

STATEMENTS = [
    "{% if n > 5 %}big{% elif n > 3 %}mid{% else %}small{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}",
    "{% if l and d and s %}all{% endif %}",
    "{% if 'a' if t else '' %}x{% endif %}",
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }};{% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{% endfor %}",
    "{% for x in l %}{{ loop }}{% endfor %}",
    "{% for x in l %}{{ loop.nope is defined }}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}",
    "{% for x in l if x > 1 %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{% for x in [] %}x{% else %}none{% endfor %}",
    "{% for x in missing %}x{% else %}none{% endfor %}",
    "{% for x in none %}x{% endfor %}",
    "{% for x in 5 %}x{% endfor %}",
    "{% for c in 'abc' %}{{ c }}-{% endfor %}",
    "{% for k in d %}{{ k }} {% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }} {% endfor %}",
    "{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{% for (a, b) in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [1] %}{{ a }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}",
    "{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% break %}{% else %}else{% endfor %}",
    "{% for x in l %}{% continue %}{% else %}else{% endfor %}",
    "{% for x in l %}{% if loop.last %}{% break %}{% endif %}{% else %}else{% endfor %}",
    "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% for x in l %}{% set outer = loop %}{% for y in l %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in l recursive %}{{ x }}{% if loop.depth < 3 %}({{ loop([x * 10]) }}){% endif %}{% endfor %}",
    "{% for x in nested.items() recursive %}{{ loop.depth0 }}{{ x[0] }}{% if x[1] is mapping %}[{{ loop(x[1].items()) }}]{% endif %}{% endfor %}",
    "{% for x in l %}{{ loop(l) }}{% endfor %}",
    "{% break %}",
    "{% for x in l %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% set x = 1 %}{% for y in l %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% for y in l %}{% set z = y %}{% endfor %}{{ z }}",
    "{% for y in l %}{{ z }}{% set z = y %}{{ z }};{% endfor %}",
    "{% for n in l %}{{ n }}{% endfor %}{{ n }}",
    "{% if false %}{% set n = 99 %}{% endif %}{{ n }}",
    "{% if false %}{% set q = 99 %}{% else %}{% set n = 3 %}{% endif %}{{ q }}{{ n }}",
    "{% for i in l %}{{ n }}{% endfor %}{% set n = 1 %}",
    "{{ n }}{% set n = 1 %}{{ n }}",
    "{% set n = n + 1 %}{{ n }}",
    "{% macro m() %}{{ n }}{% endmacro %}{% set n = 1 %}{{ m() }}",
    "{% set y = 5 %}{% macro m() %}{{ y }}{% endmacro %}{% set y = 6 %}{{ m() }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
    "{% for i in l %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }}|{{ m(1, 3) }}|{{ m(a=5, c=6) }}|{{ m() }}",
    "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(none) }}",
    "{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m(a, b) %}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}body{{ n }}{% endcall %}",
    "{% macro m() %}[{{ caller(1, 2) }}]{% endmacro %}{% call(a, b=3) m() %}{{ a }}{{ b }}{% endcall %}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{{ m() }}",
    "{% macro m() %}x{% endmacro %}{% call m() %}body{% endcall %}",
    "{% macro m(caller=none) %}{{ caller() if caller else 'no' }}{% endmacro %}{{ m() }}{% call m() %}b{% endcall %}",
    "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro m() %}  a {% endmacro %}{{ m()|trim }}{{ m() ~ 1 }}{{ m() == '  a ' }}{{ m() is string }}",
    "{% set x %}a{{ n }}b{% endset %}{{ x }}{{ x is string }}",
    "{% set x | upper | trim %}  abc {% endset %}{{ x }}",
    "{{ s }}{% set x | replace('a', s) %}aa{% endset %}{{ x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a, b = [1] %}",
    "{% set (a, b) = (1, 2) %}{{ a + b }}",
    "{% set x = 1, 2 %}{{ x }}",
    "{% set x = l if t else none %}{{ x }}",
    "{% set ns = namespace(a=1, b=[]) %}{% for x in l %}{% set ns.a = ns.a + x %}{% set ns.b = ns.b + [x] %}{% endfor %}{{ ns.a }}{{ ns.b }}",
    "{% set ns = namespace() %}{% set ns.x = 1 %}{{ ns.x }}{{ ns.y }}{{ ns }}",
    "{% set ns = namespace() %}{% set ns._x = 1 %}",
    "{% set ns = 5 %}{% set ns.x = 1 %}",
    "{% set ns = {} %}{% set ns.x = 1 %}",
    "{% set missing2.x = 1 %}",
    "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me.me is defined }}",
    "{% set ns = namespace(x=1) %}{% macro m() %}{% set ns.x = 2 %}{% endmacro %}{{ m() }}{{ ns.x }}",
    "{% set ns = namespace(x=1) %}{% set ns.x %}block{% endset %}{{ ns.x }}",
    "{% set ns = namespace(stop=false) %}{% for x in [1, 2, 3, 4] if not ns.stop %}{{ x }}{% if x == 2 %}{% set ns.stop = true %}{% endif %}{% endfor %}",
    "{% set ns = namespace(stop=false) %}{% for x in [1, 2, 3, 4] if not ns.stop %}{{ loop.index }}{{ x }}{% if x == 2 %}{% set ns.stop = true %}{% endif %}{% endfor %}",
    "{% set ns = namespace(stop=false) %}{% for x in [1, 2, 3, 4] if not ns.stop %}{{ loop.last }}{{ x }}{% if x == 2 %}{% set ns.stop = true %}{% endif %}{% endfor %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}",
    "{% set a = 5 %}{% with a = 1, b = a %}{{ b }}{% endwith %}",
    "{% filter upper %}abc{{ s }}{% endfilter %}",
    "{% filter replace('a', 'b') | upper %}aaa{% endfilter %}",
    "{% filter length %}abc{% endfilter %}",
    "{% raw %}{{ x }}{% y %}{# z #}{% endraw %}",
    "a{%- raw -%}  b  {%- endraw -%}  c",
    "{# comment #}x{#- c -#}  y",
    "{# multi\nline #}\nx",
    "{% block a %}x{{ n }}{% endblock %}",
    "{% block a %}x{% endblock a %}",
    "{% print n %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% import 'x' as y %}",
    "{% do l.append(1) %}",
    "{% nosuch %}",
    "{% if %}",
    "{% if n %}",
    "{% endif %}",
    "{% for x in l %}",
    "{% for x l %}{% endfor %}",
    "{% set %}",
    "{% set 5 = 1 %}",
    "{% set none = 1 %}",
    "{% set true = 1 %}",
    "{% macro %}{% endmacro %}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{{ n",
    "{{ n }",
    "{{ }}",
    "{{ n }} }}",
    "{{ '}}' }}{{ '%}' }}",
    "{{ {'a': {'b': 1}} }}",
    "{{ {'a': {'b': 1}}.a.b }}",
    "{{ [1)  }}",
    "{% if n %}\n  a\n{% endif %}\n  b\n",
    "  {% if n %}\n    a\n  {% endif %}\n  b",
    "x  {% if n %}a{% endif %}  y",
    "x {%- if n -%} a {%- endif -%} y",
    "x\n  {%- if n %}\n a\n  {%- endif %}\n y",
    "x\n  {%+ if n %}\n a\n  {%+ endif +%}\n y",
    "{{ n }}\n\n{{ n }}\n",
    "{{- n -}}\n a",
    "a\n{{- n }}",
    "a \n {{ n -}} \n b",
    "a\r\nb\rc\n{% if n %}\r\nd{% endif %}\r\n",
    "\n\n{% if n %}\n\nx\n\n{% endif %}\n\n",
    "\t{% set x = 1 %}\n\ty",
    " {# c #}\n y",
    "  {{ n }}",
    "a {% if n %} b {% endif %} c",
    "{% for x in l %}\n  - {{ x }}\n{% endfor %}\nend\n",
    "{%- for x in l %}\n  - {{ x }}\n{%- endfor %}\nend\n",
    "{%if n%}a{%endif%}",
    "{%-if n-%}a{%-endif-%}",
    "{{n}}{{-n-}}{{ -n }}{{ - n }}",
    "{{ 'a' -}}  b  {{- 'c' }}",
    "{% if n -%}\n  a\n{%- else -%}\n b\n{%- endif %}",
    "{% generation %}a{{ n }}{% endgeneration %}b",
    "é🦙{% generation %}世{% endgeneration %}{% for x in l %}-{% generation %}{{ x }}{% endgeneration %}{% endfor %}",
    "{%- generation -%} a {%- endgeneration -%} b",
    "{% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}{{ q }}",
    "{% for x in l %}{% generation %}{{ loop.index }}{{ x }}{% endgeneration %}{% endfor %}",
    "{% set b %}x{% generation %}y{% endgeneration %}{% endset %}a{{ b }}",
    "{% macro m() %}x{% generation %}y{% endgeneration %}{% endmacro %}a{{ m() }}{{ m() }}",
    "{% for x in l %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
    "{% if missing.x %}a{% endif %}",
    "{% if true or missing.x %}a{% endif %}",
    "{% if messages[0].role == 'user' and messages[0]['content'] is string %}{{ messages[0]['content'] }}{% endif %}",
    "{% set loop_messages = messages[1:] %}{{ loop_messages }}",
    "{% for m in messages[::-1] %}{{ m.role }}{% endfor %}",
    "{% set x = [] %}{% for i in range(3) %}{% set x = x + [i] %}{% endfor %}{{ x }}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}",
    "{% set j = joiner('|') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}",
    "{% for g in people|groupby('age') %}{{ g.grouper }}:{{ g.list|length }};{% endfor %}",
    "{% for a, g in people|groupby('age') %}{{ a }}:{{ g|map(attribute='name')|join(',') }};{% endfor %}",
    "{% set g = l|map('string') %}{{ g|list }}{{ g|list }}",
    "{% for x in l|select('odd') %}{{ x }}{{ loop.last }}{% endfor %}",
    "{% for x in l|reverse %}{{ x }}{{ loop.length }}{% endfor %}",
    "{% for x in range(1, 10, 3) %}{{ x }}{% endfor %}",
    "{% for row in l|batch(2, 0) %}{{ row }}{% endfor %}",
    "{{ n|nofilter }}",
    "{% if false %}{{ n|nofilter }}{% endif %}ok",
    "{% if true %}{{ n|nofilter }}{% endif %}ok",
    "{% macro m() %}{{ n|nofilter }}{% endmacro %}ok",
    "{{ n|nofilter if false else 'ok' }}",
    "{% if n is nosuchtest %}{% endif %}",
    "{% if false %}{{ n is nosuchtest }}{% endif %}ok",
    "{{ raise_exception('a ' ~ n) }}",
    "{% if n == 7 %}{{ raise_exception('seven') }}{% endif %}",
    "{% set x = raise_exception %}{{ x is callable }}",
    "{% set messages = messages + [{'role': 'assistant', 'content': 'x'}] %}{{ messages|length }}",
    "{% set system = messages[0].content if messages[0].role == 'system' else 'default' %}{{ system }}",
    "{{ messages|tojson }}{{ tools }}{{ documents is none }}{{ add_generation_prompt }}",
    "{{ messages[-1].get('tool_calls') is none }}{{ messages[-1].tool_calls is defined }}",
    "{% for m in messages %}{{ m.items()|list }}{% endfor %}",
    "{{ '\n' }}|{{ '\\n' }}|{{ \"\\\"\" }}",
    "{% set x = 'multi\nline' %}{{ x }}",
    "{{ s | upper\n | lower }}",
    "{{\nn\n}}",
    "{% set x = {\n 'a': 1,\n 'b': [1,\n 2],\n} %}{{ x }}",
    "{{ x }}{% set x %}{% endset %}{{ x == '' }}",
    "{% if l is iterable and l is not string and l is not mapping %}list{% endif %}",
    "{% set a = 'x' %}{% set b = a %}{% set a = 'y' %}{{ b }}",
    "{% for k, v in {'b': 1, 'a': 2}.items()|sort %}{{ k }}{{ v }}{% endfor %}",
    "{% for i in range(3) %}{% for j in range(3) %}{% if j == 1 %}{% continue %}{% endif %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
    "{% macro outer() %}{% set v = 1 %}{% macro inner() %}{{ v }}{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}",
    "{% macro m(x) %}{% set x = x + 1 %}{{ x }}{% endmacro %}{% set x = 10 %}{{ m(x) }}{{ x }}",
    "{% macro m(l) %}{% for i in l %}{{ i }}{% endfor %}{% endmacro %}{{ m([1, 2]) }}{{ m(l=l) }}",
    "{% set x = 1 %}{% macro m() %}{% if x %}{% set x = 2 %}{% endif %}{{ x }}{% endmacro %}{{ m() }}{{ x }}",
    "{% for x in l %}{% if x == 3 %}{% set found = x %}{% endif %}{{ found }}{% endfor %}",
    "{{ loop.index }}",
    "{% for loop in l %}{% endfor %}",
    "{% set loop = 1 %}{{ loop }}",
    "{% for x in l %}{{ x }}{% else %}{{ loop }}{% endfor %}",
    "{{ super() }}",
    "{% set x = namespace(a={'k': 1}) %}{% set x.a = dict(x.a, j=2) %}{{ x.a }}",
    "{% for message in messages %}{{ '<|' ~ message['role'] ~ '|>' }}{{ message['content'] + '</s>' }}{% endfor %}",
    "{{ '' if messages[0]['role'] == 'user' else raise_exception('no') }}",
    "{{ 'x' * 100000000000 }}",
]
