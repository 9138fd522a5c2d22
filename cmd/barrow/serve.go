package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"barrow/internal/limit"
	"barrow/web"
)

// serveFlags say where the page is.
type serveFlags struct {
	addr, token, tokenFile string
}

// tokenVariable is the environment variable with a token.
const tokenVariable = "BARROW_TOKEN"

func newServe(c *common) *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve [DIR]",
		Short: "Show runs and wafers in a browser",
		Long: `Serves a page over a folder, this one by default: the runs in it, as they go on.
It prints the address that it took, and ends by Ctrl-C. It reads the folder alone and
writes nothing to it.

The address is one that this machine alone can reach. Any other one needs a token, a
text that a reader must know, at least 16 characters: the address that is printed has
it. Take --token-file or the environment variable BARROW_TOKEN: the other people of a
machine see what stands behind --token in the list of its processes. The page is not
encrypted: in a network that others share, reach it by a tunnel
(ssh -L 8080:127.0.0.1:8080 HOST) in place of --addr.`,
		Example: `  barrow serve runs
  barrow serve runs --addr 127.0.0.1:8080
  (umask 077; openssl rand -hex 16 > token)
  barrow serve runs --addr 0.0.0.0:8080 --token-file token`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return f.run(cmd, c, dir)
		},
	}
	cmd.Flags().StringVar(&f.addr, "addr", "127.0.0.1:0", "`HOST:PORT` to listen at; port 0 takes any that is free")
	cmd.Flags().StringVar(&f.token, "token", "", "`text` that a reader must know, at least 16 characters; needed where other machines reach the address; others see it in the list of processes")
	cmd.Flags().StringVar(&f.tokenFile, "token-file", "", "`FILE` with that text, which others do not see")
	cmd.MarkFlagsMutuallyExclusive("token", "token-file")
	return cmd
}

// mostToken is the length of a file with a token at most.
const mostToken = 4096

// findToken is the token by whichever of the three ways it is given, "" where it is by none.
func (f *serveFlags) findToken(cmd *cobra.Command) (string, error) {
	switch {
	case cmd.Flags().Changed("token"):
		return f.token, nil
	case f.tokenFile == "":
		return os.Getenv(tokenVariable), nil
	}
	b, err := limit.ReadFile(f.tokenFile, "a token", mostToken)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return "", fmt.Errorf("--token-file %s: is empty: want a text of at least 16 characters", f.tokenFile)
	}
	if info, err := os.Stat(f.tokenFile); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o044 != 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "barrow: --token-file %s: other people of this machine can read it: chmod 600 keeps it yours\n", f.tokenFile)
	}
	return text, nil
}

func (f *serveFlags) run(cmd *cobra.Command, c *common, dir string) error {
	token, err := f.findToken(cmd)
	if err != nil {
		return err
	}
	s, err := web.New(web.Settings{Dir: dir, Token: token, Threads: c.threads})
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	if !web.Local(l.Addr()) && token == "" {
		l.Close()
		return fmt.Errorf("--addr %s: other machines reach it, so that it needs a token: --token-file, or "+tokenVariable+" in the environment", f.addr)
	}
	at := url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/"}
	if token != "" {
		at.RawQuery = url.Values{"token": {token}}.Encode()
	}
	out := cmd.OutOrStdout()
	if c.json {
		err = json.NewEncoder(out).Encode(map[string]string{"address": at.String()})
	} else {
		_, err = fmt.Fprintln(out, at.String())
	}
	if err != nil {
		l.Close()
		return err
	}
	return s.Serve(cmd.Context(), l)
}
