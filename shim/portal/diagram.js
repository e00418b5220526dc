// A workflow as a state diagram in SVG. States stand in columns by their distance from the initial one; arrows that go
// on are drawn between columns, arrows that go back beneath. What it shows is also in the table of transitions.
'use strict'
window.drawWorkflow = ({ states, initial, transitions }, name) => {
	const SVG = 'http://www.w3.org/2000/svg'
	const WIDTH = 132, HEIGHT = 40, ACROSS = 236, DOWN = 92, MARGIN = 20
	const element = (tag, attributes = {}, ...children) => {
		const made = document.createElementNS(SVG, tag)
		for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
		made.append(...children)
		return made
	}
	const arrows = new Map()
	for (const [label, { from, to }] of Object.entries(transitions))
		for (const source of from === '*' ? states.filter(state => state !== to) : [from].flat())
			arrows.set(`${source}\n${to}`, { from: source, to, labels: [...arrows.get(`${source}\n${to}`)?.labels ?? [], label] })

	const level = new Map([[initial, 0]])
	for (const state of level.keys())
		for (const { from, to } of arrows.values()) if (from === state && !level.has(to)) level.set(to, level.get(state) + 1)
	for (const state of states) if (!level.has(state)) level.set(state, 0)
	const columns = []
	for (const state of states) (columns[level.get(state)] ??= []).push(state)
	const tallest = Math.max(...columns.map(column => column.length))
	const place = new Map()
	columns.forEach((column, x) => column.forEach((state, y) =>
		place.set(state, { x: MARGIN + x * ACROSS, y: MARGIN + (y + (tallest - column.length) / 2) * DOWN })))

	const lines = element('g', { class: 'arrows' }), words = element('g', { class: 'labels' }), boxes = element('g', { class: 'states' })
	let lowest = MARGIN + (tallest - 1) * DOWN + HEIGHT, back = 0
	const write = (x, y, labels) => labels.forEach((label, i) =>
		words.append(element('text', { x, y: y - 5 - (labels.length - 1 - i) * 13, 'text-anchor': 'middle' }, label)))
	for (const { from, to, labels } of arrows.values()) {
		const a = place.get(from), b = place.get(to)
		let d
		if (a === b) {
			d = `M${a.x + WIDTH / 2 - 14},${a.y} c-10,-26 38,-26 28,0`
			write(a.x + WIDTH / 2, a.y - 18, labels)
		} else if (b.x > a.x) {
			const x1 = a.x + WIDTH, y1 = a.y + HEIGHT / 2, x2 = b.x, y2 = b.y + HEIGHT / 2, middle = (x1 + x2) / 2
			d = `M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`
			write(middle, (y1 + y2) / 2, labels)
		} else if (b.x === a.x) {
			const down = b.y > a.y, x = a.x + WIDTH / 2 + (down ? 16 : -16)
			d = `M${x},${down ? a.y + HEIGHT : a.y} L${x},${down ? b.y : b.y + HEIGHT}`
			write(x + (down ? 34 : -34), (a.y + b.y + HEIGHT) / 2 + 6, labels)
		} else {
			const depth = MARGIN + (tallest - 1) * DOWN + HEIGHT + 26 + back++ * 20
			const x1 = a.x + WIDTH / 2 + 10, x2 = b.x + WIDTH / 2 - 10
			d = `M${x1},${a.y + HEIGHT} C${x1},${depth + 12} ${x1},${depth} ${x1 - 30},${depth} L${x2 + 30},${depth} C${x2},${depth} ${x2},${depth} ${x2},${b.y + HEIGHT}`
			write((x1 + x2) / 2, depth + 2, labels)
			lowest = Math.max(lowest, depth + 8)
		}
		lines.append(element('path', { d, 'marker-end': `url(#arrow-${name})` }))
	}
	for (const state of states) {
		const { x, y } = place.get(state)
		const final = ![...arrows.values()].some(arrow => arrow.from === state)
		boxes.append(element('g', { class: state === initial ? 'initial' : final ? 'final' : '' },
			element('rect', { x, y, width: WIDTH, height: HEIGHT, rx: state === initial ? 20 : 7 }),
			element('text', { x: x + WIDTH / 2, y: y + HEIGHT / 2 + 5, 'text-anchor': 'middle' }, state)))
	}
	const width = MARGIN * 2 + (columns.length - 1) * ACROSS + WIDTH, height = lowest + MARGIN
	return element('svg', { viewBox: `0 0 ${width} ${height}`, width, height, class: 'workflow', role: 'img', 'aria-label': `State diagram of ${name}: the table of transitions says the same` },
		element('defs', {}, element('marker', { id: `arrow-${name}`, viewBox: '0 0 10 10', refX: 9, refY: 5, markerWidth: 7, markerHeight: 7, orient: 'auto-start-reverse' },
			element('path', { d: 'M0,0 L10,5 L0,10 z' }))), lines, boxes, words)
}
