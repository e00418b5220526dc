// For all pages. The renderer has a dark theme of its own under a class; it follows the system as the rest of the page does.
'use strict'
{
	const dark = matchMedia('(prefers-color-scheme: dark)')
	const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
	dark.addEventListener('change', apply)
	apply()
}

// Not every browser moves the keyboard along with the page.
document.addEventListener('click', event => {
	if (event.target.matches?.('.skip')) document.getElementById('main').focus()
})
