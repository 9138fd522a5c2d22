package setting

import (
	"fmt"
	"strings"
)

// Choice checks that a value is one of those a setting may have. The error names
// the setting by its key, lists them, and says which was probably meant.
func Choice(key, value string, choices []string) error {
	for _, c := range choices {
		if value == c {
			return nil
		}
	}
	return fmt.Errorf("%s = %q: it may be %s%s", key, value, strings.Join(choices, ", "), Hint(value, choices))
}

// Hint is what an error about an unknown word ends in: "; did you mean emd?", or
// nothing where no choice is like it.
func Hint(word string, choices []string) string {
	if like := Suggest(word, choices); like != "" {
		return "; did you mean " + like + "?"
	}
	return ""
}

// Suggest is the choice that is most like a word, by the number of letters that must be
// changed, added, left out or swapped with their neighbour; the first of several. Where more
// than a third of the letters would have to, it is one that begins with the word, if that has
// three letters, or none.
func Suggest(word string, choices []string) string {
	best, like := len([]rune(word))/3+1, ""
	for _, c := range choices {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < best && d < len([]rune(c)) {
			best, like = d, c
		}
	}
	if len(word) >= 3 && like == "" {
		for _, c := range choices {
			if strings.HasPrefix(strings.ToLower(c), strings.ToLower(word)) {
				return c
			}
		}
	}
	return like
}

// distance is the number of edits between two words (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	// Rows i−2, i−1 and i of the table.
	var rows [3][]int
	for k := range rows {
		rows[k] = make([]int, len(y)+1)
	}
	for j := range rows[2] {
		rows[2][j] = j
	}
	for i := range x {
		rows[0], rows[1], rows[2] = rows[1], rows[2], rows[0]
		rows[2][0] = i + 1
		for j := range y {
			edit := rows[1][j]
			if x[i] != y[j] {
				edit++
			}
			rows[2][j+1] = min(edit, rows[1][j+1]+1, rows[2][j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				rows[2][j+1] = min(rows[2][j+1], rows[0][j-1]+1)
			}
		}
	}
	return rows[2][len(y)]
}
