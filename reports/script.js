// SPDX-License-Identifier: GPL-3.0-or-later
'use strict';
// What the pages can do with scripts: filter and sort the table of images, copy
// a recipe, list an image's sections.  Without, all is there to read.
(() => {
	const get = id => document.getElementById(id)

	function table(rows, body) {
		const chips = [...document.querySelectorAll('.chip')]
		const box = get('filter')
		const texts = new Map(rows.map(row => [row, row.textContent.toLowerCase()]))

		function show() {
			const words = box.value.toLowerCase().split(/\s+/).filter(Boolean)
			const wanted = new Set(chips
				.filter(chip => chip.getAttribute('aria-pressed') === 'true')
				.map(chip => chip.dataset.verdict))
			let shown = 0
			for (const row of rows) {
				row.hidden = (wanted.size > 0 && !wanted.has(row.dataset.v)) ||
					!words.every(word => texts.get(row).includes(word))
				shown += !row.hidden
			}
			get('shown').value = shown === rows.length ? '' :
				`${shown} of ${rows.length}`
			get('none').hidden = shown > 0 || rows.length === 0
		}

		for (const chip of chips) {
			chip.disabled = false
			chip.addEventListener('click', () => {
				const on = chip.getAttribute('aria-pressed') === 'true'
				chip.setAttribute('aria-pressed', String(!on))
				show()
			})
		}
		box.addEventListener('input', show)
		document.addEventListener('keydown', event => {
			if (event.key === '/' && document.activeElement !== box) {
				event.preventDefault()
				box.focus()
			}
		})
		document.querySelector('.tools').hidden = false
		sorting(rows, body)
		// A browser that comes back keeps what was typed.
		show()
	}

	function sorting(rows, body) {
		const heads = [...document.querySelectorAll('#table thead th')]
		heads.forEach((head, column) => {
			const button = document.createElement('button')
			const key = row => {
				const cell = row.children[column]
				return cell.dataset.k === undefined ?
					cell.textContent.trim().toLowerCase() :
					Number(cell.dataset.k)
			}
			button.type = 'button'
			button.append(...head.childNodes)
			head.append(button)
			button.addEventListener('click', () => {
				const down = head.getAttribute('aria-sort') === 'ascending'
				for (const other of heads)
					other.removeAttribute('aria-sort')
				head.setAttribute('aria-sort', down ? 'descending' : 'ascending')
				const sorted = rows.map((row, i) => [key(row), i, row])
					.sort(([a, i], [b, j]) => {
						const order = a < b ? -1 : a > b ? 1 : 0
						return (down ? -order : order) || i - j
					})
				body.append(...sorted.map(([, , row]) => row))
			})
		})
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
	if (body)
		table([...body.rows], body)

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
