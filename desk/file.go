package desk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the content of attachments.
const (
	MaxFile     = 20 << 20 // bytes of one file
	ChunkBytes  = 64 << 10 // bytes of each piece of it in a site's log, but for the last one
	FileHash    = 32       // bytes of the SHA-256 that names a content
	MaxFileName = 120      // characters
)

// Chunks is how many pieces a content of so many bytes has in a site's log.
func Chunks(size int64) uint32 { return uint32((size + ChunkBytes - 1) / ChunkBytes) }

// maxExtension is how many characters of a name's end are kept when it is shortened, the dot included.
const maxExtension = 16

// FileName makes of a name that somebody gave a file one that is safe to show, to send and to store under any system:
// the last element of a path, on one line, without characters that no system takes or that turn the direction of what is
// read, not the name of a device, and short. It is its own fixed point, and never
// empty. Who takes a file in, and who gives one out, passes its name through it.
func FileName(given string) string {
	name := strings.ToValidUTF8(given, "�")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case misleads(r):
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	name = shortened(strings.Trim(name, ". "))
	if isDevice(name) {
		name = shortened("_" + name)
	}
	if name == "" {
		return "file"
	}
	return name
}

// misleads tells whether a character is not seen or makes its neighbours be read in another order.
func misleads(r rune) bool {
	return unicode.IsControl(r) && !unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

// shortened keeps a long name's beginning and its extension.
func shortened(name string) string {
	if utf8.RuneCountInString(name) <= MaxFileName {
		return name
	}
	letters, extension := []rune(name), []rune(nil)
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && utf8.RuneCountInString(name[dot:]) <= maxExtension {
		extension = []rune(name[dot:])
	}
	stem := strings.TrimRight(string(letters[:MaxFileName-len(extension)]), ". ")
	return stem + string(extension)
}

// isDevice tells whether Windows takes the name for a device, whatever its extension.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	port, numbered := strings.CutPrefix(stem, "COM")
	if !numbered {
		port, numbered = strings.CutPrefix(stem, "LPT")
	}
	return numbered && utf8.RuneCountInString(port) == 1 && strings.ContainsAny(port, "0123456789¹²³")
}
