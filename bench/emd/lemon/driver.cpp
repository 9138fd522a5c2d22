// Times LEMON's network simplex on request, as peer.py does other programs. Reads from
// standard input: what the arcs are, the number of rows and columns, and of pairs (int64);
// for arcs 0, between all cells of p and of q, their costs (float64); all p, all q
// (float64, whole numbers); then requests of three int64 (from, to, microseconds). Solves these
// pairs again and again until so much time is over, once at least, and answers with the seconds
// that one time took and their values. For arcs 4 and 8 the cells are a grid of
// rows and columns, whose neighbours they join at cost 1: the distances L1 and L∞.
//
// LEMON's costs are whole numbers here, distances in units of 2⁻³², since with others it has
// no tolerance; values are of the distances as they are. Of a metric it is given what moves,
// p − q, as Barrow does for itself. What it needs once for all pairs, a grid's graph, is not timed; a graph of
// what gives and what takes is another one for each pair, and is, as that which POT makes.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>
#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

using namespace lemon;
typedef NetworkSimplex<SmartDigraph, int64_t, int64_t> Simplex;

static bool get(void *to, size_t bytes) { return fread(to, 1, bytes, stdin) == bytes; }

static double processor_time() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

struct Grid {
    SmartDigraph g;
    std::vector<SmartDigraph::Node> node;
    SmartDigraph::NodeMap<int64_t> supply;
    SmartDigraph::ArcMap<int64_t> cost;
    Simplex *simplex;

    Grid(int64_t rows, int64_t cols, bool diagonals) : supply(g), cost(g) {
        for (int64_t k = 0; k < rows * cols; k++) node.push_back(g.addNode());
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < cols; j++)
                for (int di = -1; di <= 1; di++)
                    for (int dj = -1; dj <= 1; dj++) {
                        int64_t a = i + di, b = j + dj;
                        if ((!di && !dj) || (di && dj && !diagonals)) continue;
                        if (a < 0 || b < 0 || a >= rows || b >= cols) continue;
                        cost[g.addArc(node[i * cols + j], node[a * cols + b])] = 1;
                    }
        simplex = new Simplex(g);
        simplex->costMap(cost);
    }
    double solve(const double *p, const double *q) {
        for (size_t k = 0; k < node.size(); k++) supply[node[k]] = int64_t(p[k]) - int64_t(q[k]);
        if (simplex->supplyMap(supply).run() != Simplex::OPTIMAL) exit(3);
        return double(simplex->totalCost());
    }
};

static double between(int64_t n, int64_t m, bool metric, const double *d, const double *p, const double *q) {
    std::vector<int64_t> from, to, give, take;
    for (int64_t i = 0; i < n; i++)
        if (int64_t x = int64_t(p[i]) - (metric ? int64_t(q[i]) : 0); x > 0) from.push_back(i), give.push_back(x);
    for (int64_t j = 0; j < m; j++)
        if (int64_t x = int64_t(q[j]) - (metric ? int64_t(p[j]) : 0); x > 0) to.push_back(j), take.push_back(x);
    if (from.empty()) return 0;
    SmartDigraph g;
    g.reserveNode(from.size() + to.size());
    g.reserveArc(from.size() * to.size());
    for (size_t k = 0; k < from.size() + to.size(); k++) g.addNode();
    SmartDigraph::NodeMap<int64_t> supply(g);
    for (size_t k = 0; k < from.size(); k++) supply[g.nodeFromId(k)] = give[k];
    for (size_t k = 0; k < to.size(); k++) supply[g.nodeFromId(from.size() + k)] = -take[k];
    for (size_t a = 0; a < from.size(); a++)
        for (size_t b = 0; b < to.size(); b++) g.addArc(g.nodeFromId(a), g.nodeFromId(from.size() + b));
    SmartDigraph::ArcMap<int64_t> cost(g);
    for (size_t a = 0, k = 0; a < from.size(); a++)
        for (size_t b = 0; b < to.size(); b++, k++)
            cost[g.arcFromId(k)] = llround(d[from[a] * m + to[b]] * 4294967296.0);
    Simplex s(g);
    if (s.costMap(cost).supplyMap(supply).run() != Simplex::OPTIMAL) exit(3);
    double value = 0;
    for (size_t a = 0, k = 0; a < from.size(); a++)
        for (size_t b = 0; b < to.size(); b++, k++)
            if (int64_t x = s.flow(g.arcFromId(k))) value += x * d[from[a] * m + to[b]];
    return value;
}

int main() {
    int64_t head[5]; // arcs, rows, columns, 1 for a metric, pairs
    if (!get(head, sizeof head)) return 2;
    int64_t arcs = head[0], n = head[1], m = head[2], pairs = head[4];
    std::vector<double> d;
    Grid *grid = nullptr;
    if (arcs) {
        grid = new Grid(n, m, arcs == 8);
        n = m = n * m;
    } else {
        d.resize(n * m);
        if (!get(d.data(), 8 * n * m)) return 2;
    }
    std::vector<double> p(pairs * n), q(pairs * m);
    if (!get(p.data(), 8 * pairs * n) || !get(q.data(), 8 * pairs * m)) return 2;
    int64_t request[3];
    while (get(request, sizeof request)) {
        std::vector<double> out(request[1] - request[0]);
        double start = processor_time(), seconds;
        int64_t times = 0;
        do {
            for (int64_t k = request[0]; k < request[1]; k++)
                out[k - request[0]] = grid ? grid->solve(&p[k * n], &q[k * m]) : between(n, m, head[3], d.data(), &p[k * n], &q[k * m]);
            seconds = processor_time() - start;
            times++;
        } while (seconds < 1e-6 * request[2]);
        seconds /= times;
        fwrite(&seconds, 8, 1, stdout);
        fwrite(out.data(), 8, out.size(), stdout);
        fflush(stdout);
    }
    return 0;
}
