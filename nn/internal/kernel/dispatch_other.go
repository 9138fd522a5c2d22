package kernel

func run(p *Product) { productGo(p) }
