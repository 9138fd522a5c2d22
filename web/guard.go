package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// A failure is an error with the status that the reader gets.
type failure struct {
	status int
	text   string
}

func (f failure) Error() string { return f.text }

func notFound(text string) error { return failure{http.StatusNotFound, text} }

// wrong is a request that says nothing that can be shown.
func wrong(text string) error { return failure{http.StatusBadRequest, text} }

// policy allows the page's own style sheet and script, and pictures and streams of its
// own origin: nothing inline, nothing from elsewhere, no frame around it.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// quiet drops what net/http says of clients that went away or spoke no HTTP.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// Handler answers every request, with what keeps others out around the pages.
func (s *Server) Handler() http.Handler {
	own := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // without any, a form says that it has no origin
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
			h.Set("Allow", "GET, HEAD, POST")
			s.fail(w, r, failure{http.StatusMethodNotAllowed, "pages are read, by GET"})
		case s.token == "" && !local(r.Host):
			s.fail(w, r, failure{http.StatusMisdirectedRequest, "this machine is not called " + r.Host + " here: use localhost or the address that was printed"})
		case own.Check(r) != nil || !sameOrigin(r):
			s.fail(w, r, failure{http.StatusForbidden, "asked for by a page of another origin"})
		case s.token != "" && !s.known(w, r):
		default:
			s.mux.ServeHTTP(w, r)
		}
	})
}

// local tells whether a host names this machine, whatever the port: no name of somebody
// else's that was made to point here.
func local(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// sameOrigin refuses what a page elsewhere loads or sends, as far as browsers say so;
// following a link from elsewhere is no harm.
func sameOrigin(r *http.Request) bool {
	if o := r.Header.Get("Origin"); o != "" && o != "null" {
		u, err := url.Parse(o)
		if err != nil || u.Host != r.Host {
			return false
		}
	} else if o == "null" && r.Method == http.MethodPost {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Method == http.MethodGet
}

// cookie is what holds the token of a reader who has shown it. Browsers tell machines apart, but not
// their ports: each token has a name of its own, or two servers would forget each other's.
func (s *Server) cookie() string {
	sum := sha256.Sum256([]byte("cookie of " + s.token))
	return "barrow_token_" + hex.EncodeToString(sum[:4])
}

// known tells whether a reader knows the token; else the answer is given. The token is
// shown in the address once, and is then a cookie's.
func (s *Server) known(w http.ResponseWriter, r *http.Request) bool {
	if c, err := r.Cookie(s.cookie()); err == nil && s.isToken(c.Value) {
		return true
	}
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && s.isToken(given) {
		return true
	}
	q := r.URL.Query()
	if !s.isToken(q.Get("token")) || r.Method != http.MethodGet {
		s.fail(w, r, failure{http.StatusUnauthorized, "open the address that was printed, with its token"})
		return false
	}
	q.Del("token")
	http.SetCookie(w, &http.Cookie{Name: s.cookie(), Value: s.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/\\"), RawQuery: q.Encode()}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return false
}

// isToken compares in the same time whatever is given.
func (s *Server) isToken(given string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// fail answers with an error, as a page.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody listens
	}
	f := s.failureOf(err)
	s.show(w, view{Title: heading(f.status), Status: f.status, Lead: f.text})
}

// heading is what an answer other than the page that was asked for is called.
func heading(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "This cannot be asked"
	case http.StatusUnprocessableEntity:
		return "This cannot be shown"
	}
	return http.StatusText(status)
}

// failureOf says what is wrong. What went wrong in reading a file is told; where the
// folder lies on the machine is not.
func (s *Server) failureOf(err error) failure {
	var f failure
	if errors.As(err, &f) {
		return f
	}
	return failure{http.StatusUnprocessableEntity, s.hide(err.Error())}
}

// hide takes out of a message where files lie on the machine.
func (s *Server) hide(text string) string { return s.dir.hide(s.uploads.hide(text)) }
