// A strict reader of Prometheus's text format 0.0.4, which also holds what `promtool check metrics` lints for.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/ and https://prometheus.io/docs/practices/naming/
import assert from 'node:assert/strict'

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/
const VALUE = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped']
const number = text => text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text)

function parseSample(line) {
	const [name] = NAME.exec(line) ?? assert.fail(`a name: ${line}`)
	let rest = line.slice(name.length)
	const labels = {}
	if (rest[0] === '{') {
		rest = rest.slice(1)
		while (rest[0] !== '}') {
			const label = LABEL.exec(rest) ?? assert.fail(`a label at ${rest} in ${line}`)
			assert.ok(!(label[1] in labels), `${label[1]} twice in ${line}`)
			labels[label[1]] = label[2]
			rest = rest.slice(label[0].length)
			if (rest[0] === ',') rest = rest.slice(1)
			else assert.equal(rest[0], '}', line)
		}
		rest = rest.slice(1)
	}
	assert.equal(rest[0], ' ', line)
	assert.match(rest.slice(1), VALUE, line)
	return { name, labels, series: line.slice(0, line.length - rest.length), value: number(rest.slice(1)) }
}

// Buckets of one histogram rise, end with +Inf and agree with its count.
function checkHistogram(family, samples) {
	const groups = Map.groupBy ? Map.groupBy(samples, keyOf) : samples.reduce((map, sample) => map.set(keyOf(sample), [...map.get(keyOf(sample)) ?? [], sample]), new Map())
	function keyOf({ labels: { le, ...others } }) {
		return JSON.stringify(others)
	}
	for (const [key, group] of groups) {
		const buckets = group.filter(({ name }) => name === `${family}_bucket`)
		const bounds = buckets.map(({ labels }) => number(labels.le))
		assert.deepEqual(bounds, [...new Set(bounds)].sort((a, b) => a - b), `bounds of ${family}${key}`)
		assert.equal(bounds.at(-1), Infinity, `${family}${key} ends with +Inf`)
		buckets.reduce((before, { value }) => (assert.ok(value >= before, `${family}${key} rises`), value), 0)
		assert.deepEqual(group.slice(buckets.length).map(({ name }) => name), [`${family}_sum`, `${family}_count`])
		assert.equal(group.at(-1).value, buckets.at(-1).value, `${family}${key} agrees with its count`)
	}
}

function checkFamily({ name, type, help }, samples) {
	assert.ok(help.length > 0 && type, `${name} has HELP and TYPE`)
	assert.equal(/_total$/.test(name), type === 'counter', `${name} is a counter just when it ends in _total`)
	assert.doesNotMatch(name, /_(bucket|sum|count|milliseconds|ms|minutes|kb|kilobytes|percent)(_|$)/, `${name} is in base units`)
	assert.doesNotMatch(name, new RegExp(`_(counter|gauge|histogram|summary)(_|$)`), `${name} does not say its type`)
	for (const sample of samples) {
		if (type === 'histogram') assert.ok([`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample.name), sample.series)
		else assert.equal(sample.name, name)
		assert.equal('le' in sample.labels, sample.name === `${name}_bucket`, sample.series)
		if (type !== 'gauge') assert.ok(sample.value >= 0, sample.series)
	}
	if (type === 'histogram') checkHistogram(name, samples)
}

// Every series of a text by its name with labels.
export function parseMetrics(text) {
	assert.ok(text.endsWith('\n'), 'the last line ends')
	const families = new Map()
	const series = new Map()
	let family
	for (const line of text.slice(0, -1).split('\n')) {
		const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
		if (comment?.[1] === 'HELP') {
			assert.ok(!families.has(comment[2]), `${comment[2]} stands in one place`)
			family = { name: comment[2], help: comment[3], samples: [] }
			families.set(family.name, family)
		} else if (comment) {
			assert.equal(comment[2], family?.name, `TYPE behind HELP: ${line}`)
			assert.ok(TYPES.includes(comment[3]) && !family.type && family.samples.length === 0, line)
			family.type = comment[3]
		} else {
			const sample = parseSample(line)
			assert.ok(!series.has(sample.series), `${sample.series} stands once`)
			series.set(sample.series, sample.value)
			family?.samples.push(sample)
		}
	}
	for (const one of families.values())
		checkFamily(one, one.samples)
	return series
}
