// SPDX-License-Identifier: GPL-3.0-or-later
//
// The npm packages of package.json here are installed by ci/setup into
// build/npm, outside the source tree.  CommonJS, so that scripts without a
// suffix run in node 18 as well.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { createRequire } = require('node:module')
const { pathToFileURL } = require('node:url')

const npm = path.join(__dirname, '../../build/npm')

// What a package exports, whichever module system it is written in.
exports.load = async function (name) {
	const at = path.join(npm, 'node_modules', name)
	if (!fs.existsSync(at)) {
		console.error(`${name} is not installed: run ci/setup`)
		process.exit(2)
	}
	const about = JSON.parse(fs.readFileSync(path.join(at, 'package.json')))
	const main = about.exports?.['.']
	if (about.type === 'module' && main?.default)
		return import(pathToFileURL(path.join(at, main.default)))
	return createRequire(path.join(npm, 'x.js'))(name)
}

// A file of a package that is not its main one, as "ajv/dist/2020".
exports.part = async function (name) {
	await exports.load(name.split('/')[0])
	return createRequire(path.join(npm, 'x.js'))(name)
}

// Runs main(), and says in one line why it failed.
exports.run = function (tool, main) {
	main().then(status => process.exit(status), e => {
		console.error(`${tool}: ${e.message.trim().replace(/\s*\n\s*/g, ', ')}`)
		process.exit(1)
	})
}
