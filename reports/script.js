// SPDX-License-Identifier: GPL-3.0-or-later
'use strict';
// What the pages can do with scripts: filter and sort the table of images, copy
// a recipe, list an image's sections.  Without, all is there to read.
(() => {
	const get = id => document.getElementById(id)

	// ---- the table of images ----
	// An image is {verdict, text, keys, row()}: text is what the filter looks
	// at, keys what its columns are sorted by.

	function from_row(row) {
		const keys = [...row.children].map(cell => cell.dataset.k === undefined ?
			cell.textContent.trim().toLowerCase() : Number(cell.dataset.k))
		return { verdict: row.dataset.v, text: row.textContent.toLowerCase(),
			keys, row: () => row }
	}

	function element(name, properties, ...children) {
		const el = Object.assign(document.createElement(name), properties)
		el.append(...children)
		return el
	}

	// A line of rows.js (harness/report/table.c), as the row that the page would
	// have had.
	function from_data(line) {
		const [name, file, sub, verdict, rank, tone, mark, shift_tone, shift,
			why, set, built, substituted, valid, ms, time] = line
		const channels = set.split('+').filter(Boolean)
		const derivations = built < 0 ? [] : [`${built} built`,
			substituted && `${substituted} substituted`, `${valid} valid`].filter(Boolean)

		function cell(label, className, ...children) {
			const el = element('td', { className }, ...children)
			el.dataset.l = label
			return el
		}
		function lines(texts) {
			return texts.map(text => {
				const [, number, rest] = /^(\d+)( built)$/.exec(text) ?? []
				return element('span', {}, ...number ?
					[element('b', {}, number), rest] : [text])
			})
		}
		function row() {
			const verdicts = [element('span', { className: `badge ${tone}` }, verdict)]
			if (mark)
				verdicts.push(' ', element('span', { className:
					mark === 'regression' ? 'mark bad' : 'mark' }, mark))
			if (shift)
				verdicts.push(element('span', { className: `shift ${shift_tone}` }, shift))
			const head = element('th', { scope: 'row' },
				element('a', { href: `images/${file}.html` }, name),
				element('span', { className: 'sub' }, sub))
			const el = element('tr', {}, head,
				cell('Verdict', '', ...verdicts), cell('Why', '', why),
				cell('Channels', 'set', ...lines(channels)),
				cell('Derivations', 'set', ...lines(derivations)),
				cell('Time', 'num', time))
			el.dataset.v = verdict
			return el
		}
		return { verdict, row,
			text: [name, sub, verdict, mark, shift, why, set].join(' ').toLowerCase(),
			keys: [(name + sub).toLowerCase(), rank, why.toLowerCase(),
				channels.join('').toLowerCase(), Math.max(built, 0), ms] }
	}

	// A page opened from disk can read no file but a script: it is loaded once,
	// when first needed, under the name that the page's policy knows.
	function load(section) {
		return new Promise((done, failed) => {
			window.unblendRows = lines => done(lines.map(from_data))
			const script = element('script', { src: section.dataset.rows,
				nonce: section.dataset.nonce, onerror: failed })
			document.head.append(script)
		})
	}

	function table(body) {
		const section = body.closest('section')
		const chips = [...document.querySelectorAll('.chip')]
		const heads = [...document.querySelectorAll('#table thead th')]
		const box = get('filter'), more = get('more')
		const page = Math.max(body.rows.length, 1)
		const first = [...body.rows].map(from_row)
		let images = section.dataset.rows ? null : first
		let found = first, shown = 0, column = -1, is_down = false

		function wanted() {
			const words = box.value.toLowerCase().split(/\s+/).filter(Boolean)
			const verdicts = new Set(chips
				.filter(chip => chip.getAttribute('aria-pressed') === 'true')
				.map(chip => chip.dataset.verdict))
			return image => (verdicts.size === 0 || verdicts.has(image.verdict)) &&
				words.every(word => image.text.includes(word))
		}

		function sorted(list) {
			if (column < 0)
				return list
			return list.map((image, i) => [image.keys[column], i, image])
				.sort(([a, i], [b, j]) => {
					const order = a < b ? -1 : a > b ? 1 : 0
					return (is_down ? -order : order) || i - j
				})
				.map(([, , image]) => image)
		}

		// Rows up to the number of a page, and a button for those that follow.
		function extend() {
			const from = shown
			shown = Math.min(found.length, shown + page)
			const rows = found.slice(from, shown).map(image => image.row())
			body.append(...rows)
			const left = found.length - shown
			more.parentElement.hidden = left === 0
			more.textContent = `Show ${Math.min(left, page)} more of ${left}`
			return rows[0]
		}

		async function show() {
			if (!images) {
				get('shown').value = 'Loading …'
				images = load(section)
			}
			try {
				images = await images
			} catch {
				get('shown').value = 'Only these: table/rows.js is not there'
				images = first
			}
			found = sorted(images.filter(wanted()))
			shown = 0
			body.replaceChildren()
			extend()
			for (const pager of document.querySelectorAll('.pager'))
				pager.hidden = true
			get('shown').value = found.length === images.length ? '' :
				`${found.length} of ${images.length}`
			get('none').hidden = found.length > 0 || images.length === 0
		}

		for (const chip of chips) {
			chip.disabled = false
			chip.addEventListener('click', () => {
				const on = chip.getAttribute('aria-pressed') === 'true'
				chip.setAttribute('aria-pressed', String(!on))
				show()
			})
		}
		function sort(i) {
			is_down = i >= 0 && column === i && !is_down
			column = i
			heads.forEach((head, k) => {
				if (k === i)
					head.setAttribute('aria-sort', is_down ? 'descending' : 'ascending')
				else
					head.removeAttribute('aria-sort')
			})
			show()
		}

		// Where the window is narrow, there are no heads to press.
		const by = element('select', { id: 'sort' }, element('option', { value: -1 },
			'as in the corpus'), ...heads.map((head, i) =>
			element('option', { value: i }, head.textContent)))
		by.addEventListener('change', () => sort(Number(by.value)))
		get('shown').before(element('label', { htmlFor: 'sort', className: 'narrow' },
			'Sort'), by)
		by.className = 'narrow'

		heads.forEach((head, i) => {
			const button = element('button', { type: 'button' }, ...head.childNodes)
			head.append(button)
			button.addEventListener('click', () => sort(i))
		})
		more.addEventListener('click', () => extend()?.querySelector('a').focus())
		box.addEventListener('input', show)
		document.addEventListener('keydown', event => {
			if (event.key === '/' && !event.ctrlKey && !event.metaKey &&
				document.activeElement !== box) {
				event.preventDefault()
				box.focus()
			}
		})
		document.querySelector('.tools').hidden = false
		// A browser that comes back keeps what was typed.
		if (box.value)
			show()
	}

	async function copy(text) {
		try {
			await navigator.clipboard.writeText(text)
			return true
		} catch {
			// Pages opened from disk may have no clipboard but this one.
			const area = document.createElement('textarea')
			area.value = text
			document.body.append(area)
			area.select()
			const done = document.execCommand('copy')
			area.remove()
			return done
		}
	}

	for (const button of document.querySelectorAll('.copy')) {
		const label = button.firstChild
		button.hidden = false
		button.addEventListener('click', async () => {
			const done = await copy(get(button.dataset.copy).textContent)
			label.data = done ? 'Copied' : 'Not copied'
			button.focus()
			setTimeout(() => { label.data = 'Copy' }, 1500)
		})
	}

	const body = document.querySelector('#table tbody')
	if (body && get('filter'))
		table(body)

	const heads = [...document.querySelectorAll('main section > h2[id]')]
	if (!body && heads.length > 1) {
		const toc = document.createElement('nav')
		toc.className = 'toc'
		toc.setAttribute('aria-label', 'On this page')
		for (const head of heads) {
			const link = document.createElement('a')
			link.href = `#${head.id}`
			link.textContent = head.textContent
			toc.append(link)
		}
		document.body.classList.add('with-toc')
		document.querySelector('main').after(toc)
	}
})()
